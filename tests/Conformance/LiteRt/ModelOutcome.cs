using System.Collections.Immutable;
using System.Globalization;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Optc.Backends.TfLite;
using Optc.Formats.Npy;
using Optc.Frontend;
using Optc.Ir;
using Optc.Ops.Kernels;
using Optc.Passes.Quantize;
using Optc.Runtime;
using Optc.Tests.Conformance.Models;

namespace Optc.Tests.Conformance.LiteRt;

/// <summary>A float model of the reference set that optc quantized, in LiteRT and in optc.</summary>
/// <param name="Error">Why LiteRT refuses the file, or <see langword="null"/>.</param>
/// <param name="ClearWinners">Samples whose largest output in LiteRT is further from the next than the two runtimes may be apart.</param>
/// <param name="SameWinners">Those of them where optc has the same largest output.</param>
internal sealed record ModelOutcome(
    string Model, string Recipe, string? Error, Comparison Xnnpack, Comparison Tflm, int ClearWinners, int SameWinners)
{
    /// <summary>Steps of an 8-bit output: every rule that these models need is known.</summary>
    public const int Steps = 0;

    /// <summary>
    /// Steps of a 16-bit output: LiteRT's FULLY_CONNECTED of that type rounds otherwise than its convolutions, by one step
    /// of 65536 in each layer.
    /// </summary>
    public const int WideSteps = 8;

    /// <summary>Relative to the largest value of the output.</summary>
    public const double FloatTolerance = 1e-4;

    /// <summary>
    /// The same where activations are rounded to 8 bits while running: there the last bit of a float, which depends on the
    /// order of a sum, decides about a step of 1/255 of the range of one activation.
    /// </summary>
    public const double DynamicTolerance = 1e-2;

    private static readonly Lazy<ImmutableArray<ModelOutcome>> Run = new(RunAll);

    public static ImmutableArray<string> Models { get; } = ["hello_world_float", "ad01_fp32", "pretrainedResnet", "vww_96_float"];

    public static ImmutableArray<QuantizationRecipe> Recipes { get; } =
    [
        QuantizationRecipe.StaticInt8 with { RequireInteger = true },
        QuantizationRecipe.StaticInt8 with { Name = "static-int8, float outside", InputType = DType.F32, OutputType = DType.F32 },
        QuantizationRecipe.StaticInt16x8 with { RequireInteger = true },
        QuantizationRecipe.DynamicRange,
        QuantizationRecipe.Float16,
    ];

    public static ImmutableArray<ModelOutcome> All => Run.Value;

    public double Allowed => this switch
    {
        { Recipe: "dynamic-range" } => DynamicTolerance,
        { Recipe: "static-int16x8" } => WideSteps,
        { Xnnpack.IsFloat: true } => FloatTolerance,
        _ => Steps,
    };

    public bool IsClose => Error is null && (Xnnpack.IsFloat ? Xnnpack.MaxRelative : Xnnpack.MaxDifference) <= Allowed;

    private static ImmutableArray<ModelOutcome> RunAll()
    {
        List<(string Model, string Recipe, byte[] File, ImmutableArray<ImmutableArray<byte[]>> Samples)> cases = [];
        foreach (string name in Models)
        {
            ReferenceModel reference = ReferenceModel.Find(name);
            Module module = FrontendSet.Read(reference.ReadFile(), name);
            NpyArray[] inputs = [.. reference.Samples.Select(s => ReferenceModel.ReadArray(s.Inputs[0]))];
            foreach (QuantizationRecipe recipe in Recipes)
            {
                Shape shape = Shape.Create([.. inputs[0].Shape]);
                CalibrationData data = new([.. inputs.Select((x, i) => CalibrationSample.Of(i, TensorData.FromFloats(shape, x.AsSpan<float>())))]);
                byte[] file = TfLiteBackend.ToArray(Quantizer.Quantize(module, recipe, data).Module);
                TensorType type = FrontendSet.Read(file, name).Main.Inputs[0].Type;
                ImmutableArray<ImmutableArray<byte[]>> samples = [.. inputs.Select(x => ImmutableArray.Create<byte[]>([Convert(x, type)]))];
                cases.Add((name, recipe.Name, file, samples));
            }
        }

        ImmutableArray<LiteRtResult> results = LiteRtBatch.Run([.. cases.Select(c => new LiteRtJob(c.File, c.Samples))]);
        return [.. cases.Zip(results, (c, result) => Judge(c.Model, c.Recipe, c.File, c.Samples, result))];
    }

    private static byte[] Convert(NpyArray x, TensorType type) => type.DType is DType.F32
        ? x.Data.ToArray()
        : AffineGrid.Quantize(TensorData.FromFloats(Shape.Create([.. x.Shape]), x.AsSpan<float>()), type.DType, type.Quant!).Bytes.ToArray();

    private static ModelOutcome Judge(
        string model, string recipe, byte[] file, ImmutableArray<ImmutableArray<byte[]>> samples, LiteRtResult result)
    {
        ModelOutcome outcome = new(model, recipe, result.Error, Comparison.None, Comparison.None, 0, 0);
        if (result.Error is not null)
        {
            return outcome;
        }

        Module module = FrontendSet.Read(file, model);
        using Interpreter xnnpack = new(module, options: new() { Rounding = RoundingProfile.Xnnpack });
        using Interpreter tflm = new(module);
        DType type = xnnpack.OutputType(0).DType;
        outcome = outcome with { Xnnpack = Comparison.None with { IsFloat = type is DType.F32 } };
        for (int i = 0; i < samples.Length; i++)
        {
            byte[] expected = result.Outputs[i][0];
            ReadOnlySpan<byte> actual = Compute(xnnpack, samples[i][0]);
            float[] theirs = Floats(type, expected);
            bool isClear = IsClear(theirs, type is DType.F32 ? outcome.Allowed * TensorPrimitives.MaxMagnitude<float>(theirs) : outcome.Allowed);
            outcome = outcome with
            {
                Xnnpack = outcome.Xnnpack.And(ModelRun.Compare(type, expected, actual)),
                Tflm = outcome.Tflm.And(ModelRun.Compare(type, expected, Compute(tflm, samples[i][0]))),
                ClearWinners = outcome.ClearWinners + (isClear ? 1 : 0),
                SameWinners = outcome.SameWinners + (isClear && TensorPrimitives.IndexOfMax<float>(theirs) == TensorPrimitives.IndexOfMax<float>(Floats(type, actual)) ? 1 : 0),
            };
        }

        return outcome;
    }

    private static ReadOnlySpan<byte> Compute(Interpreter interpreter, byte[] input)
    {
        input.CopyTo(interpreter.Input(0));
        interpreter.Run();
        return interpreter.Output(0);
    }

    private static bool IsClear(float[] values, double apart)
    {
        if (values.Length < 2)
        {
            return false;
        }

        float[] sorted = [.. values.OrderDescending()];
        return sorted[0] - (double)sorted[1] > 2 * Math.Abs(apart);
    }

    private static float[] Floats(DType type, ReadOnlySpan<byte> bytes)
    {
        switch (type)
        {
            case DType.F32:
                return MemoryMarshal.Cast<byte, float>(bytes).ToArray();
            case DType.I8:
                float[] narrow = new float[bytes.Length];
                TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, sbyte>(bytes), narrow);
                return narrow;
            case DType.I16:
                float[] wide = new float[bytes.Length / 2];
                TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, short>(bytes), wide);
                return wide;
            default:
                throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"outputs of {type.Name} are not expected"));
        }
    }
}
