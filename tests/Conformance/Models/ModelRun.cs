using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Optc.Formats.Npy;
using Optc.Ir;
using Optc.Runtime;

namespace Optc.Tests.Conformance.Models;

/// <summary>How far one run is from what was expected.</summary>
/// <param name="Elements">Output elements compared.</param>
/// <param name="Differing">Elements that are not equal.</param>
/// <param name="MaxDifference">Largest difference: raw steps for integers, real units for floats.</param>
/// <param name="MaxRelative">Largest difference over the largest absolute expected value of that output; floats only.</param>
/// <param name="IsFloat">True when any output is float.</param>
internal sealed record Comparison(long Elements, long Differing, double MaxDifference, double MaxRelative, bool IsFloat)
{
    public static Comparison None { get; } = new(0, 0, 0, 0, false);

    public Comparison And(Comparison other) => new(
        Elements + other.Elements,
        Differing + other.Differing,
        Math.Max(MaxDifference, other.MaxDifference),
        Math.Max(MaxRelative, other.MaxRelative),
        IsFloat || other.IsFloat);
}

/// <summary>Runs the samples of a reference model.</summary>
internal static class ModelRun
{
    /// <summary>All samples; for a stateful model the first axis is time, from a fresh state.</summary>
    public static Comparison Compare(ReferenceModel model, Module module, InterpreterOptions options)
    {
        using Interpreter interpreter = new(module, options: options);
        Comparison total = Comparison.None;
        foreach ((ImmutableArray<string> inputs, ImmutableArray<string> outputs) in model.Samples)
        {
            interpreter.Reset();
            NpyArray[] given = [.. inputs.Select(ReferenceModel.ReadArray)];
            NpyArray[] expected = [.. outputs.Select(ReferenceModel.ReadArray)];
            int steps = model.Stateful ? given[0].Shape[0] : 1;
            for (int step = 0; step < steps; step++)
            {
                for (int i = 0; i < given.Length; i++)
                {
                    Slice(given[i], step, steps).CopyTo(interpreter.Input(i));
                }

                interpreter.Run();
                for (int o = 0; o < expected.Length; o++)
                {
                    total = total.And(Compare(interpreter.OutputType(o).DType, Slice(expected[o], step, steps), interpreter.Output(o)));
                }
            }
        }

        return total;
    }

    /// <summary>The bytes of all outputs on all samples, one behind the other.</summary>
    public static byte[] Outputs(ReferenceModel model, Module module, InterpreterOptions options)
    {
        using Interpreter interpreter = new(module, options: options);
        using MemoryStream all = new();
        foreach ((ImmutableArray<string> inputs, _) in model.Samples)
        {
            interpreter.Reset();
            NpyArray[] given = [.. inputs.Select(ReferenceModel.ReadArray)];
            int steps = model.Stateful ? given[0].Shape[0] : 1;
            for (int step = 0; step < steps; step++)
            {
                for (int i = 0; i < given.Length; i++)
                {
                    Slice(given[i], step, steps).CopyTo(interpreter.Input(i));
                }

                interpreter.Run();
                for (int o = 0; o < interpreter.OutputCount; o++)
                {
                    all.Write(interpreter.Output(o));
                }
            }
        }

        return all.ToArray();
    }

    /// <summary>One time step of an array whose first axis is time.</summary>
    public static ReadOnlySpan<byte> Slice(NpyArray array, int step, int steps)
    {
        int size = array.Data.Length / steps;
        return array.Data.Span.Slice(step * size, size);
    }

    /// <summary>Two contents of one output.</summary>
    public static Comparison Compare(DType type, ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual)
    {
        if (expected.Length != actual.Length)
        {
            return new(expected.Length, expected.Length, double.PositiveInfinity, double.PositiveInfinity, type is DType.F32);
        }

        return type switch
        {
            DType.F32 => Compare(MemoryMarshal.Cast<byte, float>(expected), MemoryMarshal.Cast<byte, float>(actual), isFloat: true),
            DType.I8 => Compare(MemoryMarshal.Cast<byte, sbyte>(expected), MemoryMarshal.Cast<byte, sbyte>(actual), isFloat: false),
            DType.I16 => Compare(MemoryMarshal.Cast<byte, short>(expected), MemoryMarshal.Cast<byte, short>(actual), isFloat: false),
            DType.I32 => Compare(MemoryMarshal.Cast<byte, int>(expected), MemoryMarshal.Cast<byte, int>(actual), isFloat: false),
            DType.I64 => Compare(MemoryMarshal.Cast<byte, long>(expected), MemoryMarshal.Cast<byte, long>(actual), isFloat: false),
            _ => Compare(expected, actual, isFloat: false),
        };
    }

    private static Comparison Compare<T>(ReadOnlySpan<T> expected, ReadOnlySpan<T> actual, bool isFloat)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        long differing = 0;
        double largest = 0;
        double scale = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double difference = Math.Abs(double.CreateTruncating(expected[i]) - double.CreateTruncating(actual[i]));
            differing += difference != 0 ? 1 : 0;
            largest = double.IsNaN(difference) ? double.PositiveInfinity : Math.Max(largest, difference);
            scale = Math.Max(scale, Math.Abs(double.CreateTruncating(expected[i])));
        }

        return new(expected.Length, differing, largest, isFloat ? largest / Math.Max(scale, 1e-30) : 0, isFloat);
    }
}
