using System.Collections.Immutable;
using Optc.Ir;

namespace Optc.Passes.Quantize;

/// <summary>What is made of a float model.</summary>
public enum QuantizationMode
{
    /// <summary>Integers throughout, with ranges of the activations found by calibration.</summary>
    Static,

    /// <summary>Integer weights; activations are float and quantized while running, by the ops that can.</summary>
    DynamicRange,

    /// <summary>Constants in half precision behind DEQUANTIZE; computed in float.</summary>
    Float16,
}

/// <summary>How many scales a weight tensor has.</summary>
public enum WeightGranularity
{
    PerTensor,

    /// <summary>One for each output channel, where the kernels of the op know that.</summary>
    PerChannel,
}

/// <summary>What the user wants. How a range is found is the estimator's business, what an op permits the op's.</summary>
public sealed record QuantizationRecipe(string Name, QuantizationMode Mode)
{
    /// <summary>Activations and weights in 8 bits; biases in 32.</summary>
    public static QuantizationRecipe StaticInt8 { get; } = new("static-int8", QuantizationMode.Static)
    {
        InputType = DType.I8,
        OutputType = DType.I8,
    };

    /// <summary>Activations in 16 bits, weights in 8; biases in 64.</summary>
    public static QuantizationRecipe StaticInt16x8 { get; } = new("static-int16x8", QuantizationMode.Static)
    {
        Activations = DType.I16,
        InputType = DType.I16,
        OutputType = DType.I16,
    };

    /// <summary>Weights in 8 bits, activations in float; needs no calibration.</summary>
    public static QuantizationRecipe DynamicRange { get; } = new("dynamic-range", QuantizationMode.DynamicRange)
    {
        MinimumElements = 1024,
    };

    /// <summary>Constants in half precision; needs no calibration.</summary>
    /// <remarks>Below 128 elements the DEQUANTIZE takes more bytes of the file than it saves.</remarks>
    public static QuantizationRecipe Float16 { get; } = new("float16", QuantizationMode.Float16)
    {
        MinimumElements = 128,
    };

    public static ImmutableArray<QuantizationRecipe> All { get; } = [StaticInt8, StaticInt16x8, DynamicRange, Float16];

    /// <summary>i8 or i16; <see cref="QuantizationMode.Static"/> only.</summary>
    public DType Activations { get; init; } = DType.I8;

    /// <summary>Type that float inputs of the model get: i8, u8, i16 or f32; <see cref="QuantizationMode.Static"/> only.</summary>
    public DType InputType { get; init; } = DType.F32;

    /// <summary>Type that float outputs of the model get: i8, u8, i16 or f32; <see cref="QuantizationMode.Static"/> only.</summary>
    public DType OutputType { get; init; } = DType.F32;

    /// <summary>Scales of the weights of convolutions.</summary>
    public WeightGranularity Weights { get; init; } = WeightGranularity.PerChannel;

    /// <summary>Scales of the weights of dense layers.</summary>
    /// <remarks>
    /// One for the tensor unless asked: older TFLite runtimes do not know several, and one of them answers a per-channel
    /// hybrid layer with its bias alone.
    /// </remarks>
    public WeightGranularity DenseWeights { get; init; } = WeightGranularity.PerTensor;

    /// <summary>Bias of layers with 16-bit activations: i64, or i32 for CONV_2D and FULLY_CONNECTED.</summary>
    public DType BiasOfInt16 { get; init; } = DType.I64;

    public RangeEstimator Estimator { get; init; } = RangeEstimator.MinMax;

    /// <summary>Constants with fewer elements stay float; not for <see cref="QuantizationMode.Static"/>.</summary>
    public int MinimumElements { get; init; }

    /// <summary>Exceptions for single layers; all that match a layer apply in order, so that the last one wins.</summary>
    public ImmutableArray<LayerRule> Rules { get; init; } = [];

    /// <summary>Runs <see cref="Pipelines.PrepareForQuantization"/> first, so that fewer results are rounded to a grid.</summary>
    public bool Prepare { get; init; } = true;

    /// <summary>Makes float layers an error instead of an entry in the report.</summary>
    public bool RequireInteger { get; init; }

    /// <summary>The built-in recipe of that name, or <see langword="null"/>.</summary>
    public static QuantizationRecipe? Find(string name) => All.FirstOrDefault(r => r.Name == name);

    /// <exception cref="DiagnosticException">Options that do not fit together; all are listed.</exception>
    internal void Check()
    {
        List<Diagnostic> problems = [];
        void Require(bool holds, string option, string found, string expected)
        {
            if (!holds)
            {
                problems.Add(new(DiagnosticId.InvalidOption, $"the recipe does not allow this {option}")
                {
                    At = [$"recipe '{Name}'"],
                    Found = found,
                    Expected = expected,
                });
            }
        }

        DType[] interfaces = Mode is QuantizationMode.Static ? [DType.F32, DType.I8, DType.U8, DType.I16] : [DType.F32];
        string expected = string.Join(" or ", interfaces.Select(t => t.Name));
        Require(Activations is DType.I8 or DType.I16, "type of activations", Activations.Name, "i8 or i16");
        Require(interfaces.Contains(InputType), "type of inputs", InputType.Name, expected);
        Require(interfaces.Contains(OutputType), "type of outputs", OutputType.Name, expected);
        Require(BiasOfInt16 is DType.I64 or DType.I32, "type of biases", BiasOfInt16.Name, "i64 or i32");
        Require(MinimumElements >= 0, "minimum size", $"{MinimumElements}", "0 or more");
        Require(!RequireInteger || Mode is QuantizationMode.Static, "demand for integers", Mode.ToString(), "a static recipe");
        if (problems.Count > 0)
        {
            throw new DiagnosticException([.. problems]);
        }
    }
}
