using Optc.Ir;
using Optc.Ops.Bounds;
using Optc.Ops.Kernels;
using Optc.Passes.Shrink;
using Optc.Runtime;
using Optc.Tests.Snapshots;
using Optc.Tests.Unit.Formats.TfLite;
using Xunit;

namespace Optc.Tests.Unit.Passes.Shrink;

/// <summary>Bounds are computed by the functions that compute the values.</summary>
public sealed class BoundsAnalysisTests
{
    /// <summary>Those that can be executed: one holds custom operators of a front end.</summary>
    public static TheoryData<string> Models => [.. ModelFiles.Names().Where(n => n.StartsWith("models", StringComparison.Ordinal) && !n.Contains("audio_preprocessor", StringComparison.Ordinal))];

    /// <summary>For an input that is one point, and what nodes without a rule made of it, bounds are all that the interpreter computes.</summary>
    [SharedTheory]
    [MemberData(nameof(Models))]
    public void Of_one_input_are_its_values(string name)
    {
        Module module = Model.Read(ModelFiles.Load(name)).Module;
        foreach ((Roundings roundings, RoundingProfile profile) in ((Roundings, RoundingProfile)[])[
            (Roundings.Double, RoundingProfile.Tflm), (Roundings.Float32, RoundingProfile.Xnnpack)])
        {
            using Interpreter interpreter = new(module, options: new() { Rounding = profile, KeepIntermediates = true });
            using BoundsAnalysis bounds = new(module.Main, roundings);
            foreach (int number in (int[])[8, 10, 15])
            {
                for (int i = 0; i < interpreter.InputCount; i++)
                {
                    SameOutputs.Structured(number, interpreter.InputType(i)).CopyTo(interpreter.Input(i));
                }

                interpreter.Run();
                bounds.Run(value => Point(interpreter, value));

                foreach (Node node in module.Main.Nodes.Where(bounds.HasRule))
                {
                    foreach (Value output in node.Outputs)
                    {
                        ElementBounds expected = Point(interpreter, output)!;
                        ElementBounds actual = bounds.Of(output)!;
                        Assert.True(expected.Low.AsSpan().SequenceEqual(actual.Low), $"smallest of {node} under {profile}");
                        Assert.True(expected.Low.AsSpan().SequenceEqual(actual.High), $"largest of {node} under {profile}");
                    }
                }
            }
        }
    }

    /// <summary>Whatever the input, values lie within the bounds over all inputs, under both roundings.</summary>
    [SharedTheory]
    [MemberData(nameof(Models))]
    public void Over_all_inputs_hold_every_value(string name)
    {
        Module module = Model.Read(ModelFiles.Load(name)).Module;
        using BoundsAnalysis bounds = new(module.Main);
        bounds.Run();
        foreach (RoundingProfile profile in Enum.GetValues<RoundingProfile>())
        {
            using Interpreter interpreter = new(module, options: new() { Rounding = profile, KeepIntermediates = true });
            for (int number = 0; number < 16; number++)
            {
                for (int i = 0; i < interpreter.InputCount; i++)
                {
                    SameOutputs.Structured(number, interpreter.InputType(i)).CopyTo(interpreter.Input(i));
                }

                interpreter.Run();
                foreach (Value output in module.Main.Nodes.Where(bounds.HasRule).SelectMany(n => n.Outputs))
                {
                    ElementBounds value = Point(interpreter, output)!;
                    ElementBounds all = bounds.Of(output)!;
                    for (int e = 0; e < value.Low.Length; e++)
                    {
                        Assert.InRange(value.Low[e], all.Low[e], all.High[e]);
                    }
                }
            }
        }
    }

    private static ElementBounds? Point(Interpreter interpreter, Value value)
    {
        if (ElementBounds.Full(value.Type) is not { } full || !interpreter.Holds(value))
        {
            return null;
        }

        bool isSigned = value.Type.DType is DType.I8;
        int[] values = Array.ConvertAll(interpreter.Bytes(value).ToArray(), b => isSigned ? (sbyte)b : (int)b);
        return new(full.Shape, values, [.. values]);
    }
}
