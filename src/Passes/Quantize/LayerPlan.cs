using Optc.Ir;
using Optc.Ops.Quantization;

namespace Optc.Passes.Quantize;

/// <summary>What is to become of a layer.</summary>
/// <param name="Rule">What its op demands; only for layers that become integer.</param>
/// <param name="Reason">Why it is left alone; <see langword="null"/> for layers that become integer.</param>
internal sealed record LayerPlan(Node Node, LayerStatus Status, LayerSettings Settings, QuantRule? Rule, string? Reason)
{
    public bool IsQuantized => Status is LayerStatus.Quantized;

    public DType Activations => IsQuantized ? Settings.Activations : DType.F32;
}
