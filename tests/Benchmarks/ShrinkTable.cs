using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using Optc.Backends.TfLite;
using Optc.Formats.Npy;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Passes.Shrink;
using Optc.Runtime;
using Optc.Shrink;
using Optc.Tests.Fuzzing;

namespace Optc.Tests.Benchmarks;

/// <summary>Third-party models before and after <c>optc shrink</c>, and whether they give the same outputs.</summary>
/// <param name="Shared">Folder of third-party models and data.</param>
internal sealed record ShrinkTable(string Shared)
{
    private const int Inputs = 1000;

    private static readonly TfLiteWriteOptions Micro = new(TfLiteNames.Interface, TfLiteTarget.Micro);

    public void Print()
    {
        Console.WriteLine("| model | bytes | gzip | mcu | weights | MACs | arena | inputs, both roundings | seconds |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|---|---:|");
        foreach (string path in Directory.EnumerateFiles(Path.Combine(Shared, "models"), "*.tflite", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            Model model = Model.Load(path);
            if (model.Module.Main.Values().Any(v => v.Type.DType is DType.I8 or DType.U8 or DType.I16 && v.Constant is null))
            {
                Print(model, path);
            }
        }

        PrintPlanted();
    }

    private void PrintPlanted()
    {
        Module original = Model.Load(Path.Combine(Shared, "models", "kws_ref_model", "kws_ref_model.tflite")).Module;
        const ShrinkRules withoutFolds = ShrinkRules.All & ~(ShrinkRules.Fold | ShrinkRules.FoldPadded);
        Console.WriteLine();
        Console.WriteLine("| planted | weights | MACs | bytes | mcu | without folds: weights | bytes |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|");
        foreach (string variant in (string[])["original", "dead", "unread", "const", "sat", "mix"])
        {
            Model model = Model.Read(Model.Of(PlantedModel.Make(original, variant)).ToTfLite());
            ShrinkResult result = model.Shrink();
            ShrinkResult micro = model.Shrink(new() { Writing = Micro });
            ShrinkResult plain = model.Shrink(new() { Rules = withoutFolds });
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {variant} | {result.Weights.After:N0} | {result.Macs.After:N0} | {result.File.Length:N0} | {micro.File.Length:N0} | {plain.Weights.After:N0} | {plain.File.Length:N0} |"));
        }
    }

    private static void Print(Model model, string path)
    {
        long begin = Stopwatch.GetTimestamp();
        ShrinkResult result = model.Shrink();
        double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        ShrinkResult micro = model.Shrink(new() { Writing = Micro });
        string equal = model.Module.Main.Nodes.Any(n => n.Op is OpaqueTfLite)
            ? "not executable here"
            : Compare(model.Module, Model.Read(result.File).Module, Model.Read(micro.File).Module, Path.GetDirectoryName(path)!);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {Path.GetFileNameWithoutExtension(path)} | {Pair(result.Original.Length, result.File.Length)} | {Pair(Gzip(result.Original), Gzip(result.File))} | {micro.File.Length:N0} | {Pair(result.Weights.Before, result.Weights.After)} | {Pair(result.Macs.Before, result.Macs.After)} | {Pair(result.Arena.Before, result.Arena.After)} | {equal} | {seconds:F2} |"));
    }

    private static string Pair(long before, long after) => before == after
        ? before.ToString("N0", CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{before:N0} -> {after:N0}");

    private static long Gzip(ReadOnlyMemory<byte> file)
    {
        using MemoryStream stream = new();
        using (GZipStream gzip = new(stream, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            gzip.Write(file.Span);
        }

        return stream.Length;
    }

    /// <summary>Runs all on the samples of the model and on structured inputs; states of variables go on from input to input.</summary>
    private static string Compare(Module original, Module portable, Module micro, string folder)
    {
        int compared = 0;
        foreach (RoundingProfile profile in Enum.GetValues<RoundingProfile>())
        {
            using Interpreter expected = new(original, options: new() { Rounding = profile });
            using Interpreter first = new(portable, options: new() { Rounding = profile });
            using Interpreter second = new(micro, options: new() { Rounding = profile });
            compared = 0;
            foreach (byte[][] input in Samples(folder, expected).Concat(Enumerable.Range(0, Inputs).Select(n => Structured(n, expected))))
            {
                foreach (Interpreter interpreter in (ReadOnlySpan<Interpreter>)[expected, first, second])
                {
                    for (int i = 0; i < input.Length; i++)
                    {
                        input[i].CopyTo(interpreter.Input(i));
                    }

                    interpreter.Run();
                }

                for (int o = 0; o < expected.OutputCount; o++)
                {
                    if (!expected.Output(o).SequenceEqual(first.Output(o)) || !expected.Output(o).SequenceEqual(second.Output(o)))
                    {
                        return string.Create(CultureInfo.InvariantCulture, $"**differ on {compared}**");
                    }
                }

                compared++;
            }
        }

        return string.Create(CultureInfo.InvariantCulture, $"{compared:N0} equal");
    }

    private static IEnumerable<byte[][]> Samples(string folder, Interpreter interpreter)
    {
        for (int sample = 0; File.Exists(Path.Combine(folder, FormattableString.Invariant($"s{sample}_in0.npy"))); sample++)
        {
            byte[][] inputs = [.. Enumerable.Range(0, interpreter.InputCount).Select(i => NpyFile.Read(File.ReadAllBytes(Path.Combine(folder, FormattableString.Invariant($"s{sample}_in{i}.npy")))).Data.ToArray())];
            for (int step = 0; step < inputs[0].Length / interpreter.Input(0).Length; step++)
            {
                yield return [.. inputs.Select((bytes, i) => bytes.AsSpan(step * interpreter.Input(i).Length, interpreter.Input(i).Length).ToArray())];
            }
        }
    }

    private static byte[][] Structured(int number, Interpreter interpreter) => [.. Enumerable.Range(0, interpreter.InputCount).Select(i => Structured(number, interpreter.InputType(i), interpreter.Input(i).Length))];

    private static byte[] Structured(int number, TensorType type, int bytes)
    {
        int[] dims = [.. type.Shape.Dims];
        int zero = type.Quant is null ? 0 : type.ZeroPoint;
        return type.DType switch
        {
            DType.I8 => StructuredInputs.Make(number, dims, sbyte.MinValue, zero),
            DType.U8 => StructuredInputs.Make(number, dims, byte.MinValue, zero),
            DType.I16 => [.. StructuredInputs.Make(number, dims, sbyte.MinValue, 0).SelectMany(c => BitConverter.GetBytes((short)((sbyte)c * 256)))],
            DType.F32 => [.. StructuredInputs.Make(number, dims, sbyte.MinValue, 0).SelectMany(c => BitConverter.GetBytes((sbyte)c / 32f))],
            _ => new byte[bytes],
        };
    }
}
