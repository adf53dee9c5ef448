using System.Collections.Immutable;
using Optc.Ir;

namespace Optc.Passes.Quantize;

public enum LayerStatus
{
    /// <summary>Computes with integers.</summary>
    Quantized,

    /// <summary>Constants are stored small; computes with float activations.</summary>
    WeightsOnly,

    /// <summary>Left in float, see the reason.</summary>
    Float,

    /// <summary>Had nothing to quantize, or was quantized before.</summary>
    Untouched,
}

/// <summary>What became of a constant.</summary>
/// <param name="Operand">Name of the operand in the schema of the op, such as <c>w</c>.</param>
/// <param name="Quant">Its scales; <see langword="null"/> for half precision.</param>
/// <param name="Sqnr">Signal to quantization noise, dB: <c>10 log10(sum w^2 / sum (w - w')^2)</c>; infinite when exact.</param>
/// <param name="WidenedScales">Scales that were made larger than the weights need, so that the bias fits its type.</param>
public sealed record ConstantReport(string Name, string Operand, DType Type, QuantParams? Quant, double Sqnr, int WidenedScales);

/// <summary>What became of a layer.</summary>
/// <param name="Name">Name of the layer.</param>
/// <param name="Op">Its operator.</param>
/// <param name="Reason">Why it was left alone; <see langword="null"/> for layers that were not.</param>
/// <param name="Activations">Type of the activations.</param>
/// <param name="Constants">Weights, tables, other constants; biases left out.</param>
public sealed record LayerReport(
    string Name,
    string Op,
    LayerStatus Status,
    string? Reason,
    DType Activations,
    ImmutableArray<ConstantReport> Constants);

/// <summary>The grid of an activation.</summary>
/// <param name="Low">Smallest value of the range that the estimator gave.</param>
/// <param name="High">Largest value of that range.</param>
public sealed record ActivationReport(string Name, DType Type, double Low, double High, QuantParams Quant);

/// <summary>What quantization did, layer by layer in order of execution.</summary>
/// <param name="Recipe">Name of the recipe.</param>
/// <param name="Conversions">QUANTIZE and DEQUANTIZE operators that were inserted.</param>
public sealed record QuantizationReport(
    string Recipe,
    ImmutableArray<LayerReport> Layers,
    ImmutableArray<ActivationReport> Activations,
    int Conversions)
{
    /// <summary>True when no layer computes in float.</summary>
    public bool IsInteger => Layers.All(l => l.Status is LayerStatus.Quantized or LayerStatus.Untouched);

    public IEnumerable<LayerReport> WithStatus(LayerStatus status) => Layers.Where(l => l.Status == status);
}
