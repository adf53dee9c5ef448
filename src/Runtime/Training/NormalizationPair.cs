using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;

namespace Optc.Runtime.Training;

/// <summary>Mean and variance of a layer over the batches of training.</summary>
/// <param name="Mean">[C].</param>
/// <param name="Variance">[C].</param>
public sealed record ChannelStatistics(ImmutableArray<float> Mean, ImmutableArray<float> Variance);

/// <summary>A batch normalization as files hold it: a product and a sum with one constant for each channel.</summary>
/// <remarks>
/// Recognised by name, <c>LAYER/bn_scale</c> and <c>LAYER/bn_shift</c>, as architectures of optc have them: another product
/// followed by a sum is what it says and has no statistics.
/// </remarks>
/// <param name="Name">Name of the layer.</param>
/// <param name="Scale">The product.</param>
/// <param name="Shift">The sum; carries the activation.</param>
internal sealed record NormalizationPair(string Name, Node Scale, Node Shift)
{
    /// <summary>Added to the variance.</summary>
    public const float Epsilon = 1e-3f;

    private const string ScaleSuffix = "/bn_scale";
    private const string ShiftSuffix = "/bn_shift";

    public Value Input => Scale.Inputs[0]!;

    public Value Factors => Scale.Inputs[1]!;

    public Value Offsets => Shift.Inputs[1]!;

    public FusedActivation Activation => ((Add)Shift.Op).Activation;

    public int Channels => (int)Factors.Type.ElementCount;

    public string Gamma => $"{Name}/gamma";

    public string Beta => $"{Name}/beta";

    public string Mean => $"{Name}/moving_mean";

    public string Variance => $"{Name}/moving_variance";

    public static ImmutableArray<NormalizationPair> FindAll(Graph graph) =>
    [
        .. graph.Nodes.Where(n => n is { Op: Mul { Activation: FusedActivation.None } }
                && n.Name.EndsWith(ScaleSuffix, StringComparison.Ordinal)
                && HasChannels(n)
                && n.Output.UseCount == 1
                && !graph.IsOutput(n.Output))
            .Select(n => (Scale: n, Shift: n.Output.Users[0], Name: n.Name[..^ScaleSuffix.Length]))
            .Where(p => p.Shift is { Op: Add } && p.Shift.Name == p.Name + ShiftSuffix && HasChannels(p.Shift))
            .Select(p => new NormalizationPair(p.Name, p.Scale, p.Shift)),
    ];

    /// <summary>Gamma and beta, and the statistics, with which training starts where the file ends.</summary>
    /// <exception cref="DiagnosticException">The statistics are for another number of channels.</exception>
    public (float[] Gamma, float[] Beta, float[] Mean, float[] Variance) Start(ChannelStatistics? known)
    {
        if (known is not null && (known.Mean.Length != Channels || known.Variance.Length != Channels))
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.DataMismatch, "the statistics of a layer are those of another")
            {
                At = [$"layer '{Name}'"],
                Found = $"{known.Mean.Length} means and {known.Variance.Length} variances",
                Expected = $"{Channels}, one for each channel",
            });
        }

        float[] scale = Factors.Constant!.ToDense().AsFloats().ToArray();
        float[] shift = Offsets.Constant!.ToDense().AsFloats().ToArray();
        float[] mean = [.. known?.Mean ?? [.. new float[scale.Length]]];
        float[] variance = [.. known?.Variance ?? [.. Enumerable.Repeat(1 - Epsilon, scale.Length)]];
        return (
            [.. scale.Select((s, i) => s * MathF.Sqrt(variance[i] + Epsilon))],
            [.. shift.Select((b, i) => b + (scale[i] * mean[i]))],
            mean,
            variance);
    }

    /// <summary>Factors and offsets of a trained layer: <c>gamma / sqrt(variance + epsilon)</c>, <c>beta - mean * factor</c>.</summary>
    public static (float[] Factors, float[] Offsets) Finish(
        ReadOnlySpan<float> gamma, ReadOnlySpan<float> beta, ReadOnlySpan<float> mean, ReadOnlySpan<float> variance)
    {
        float[] factors = new float[gamma.Length];
        float[] offsets = new float[gamma.Length];
        for (int i = 0; i < factors.Length; i++)
        {
            factors[i] = gamma[i] / MathF.Sqrt(variance[i] + Epsilon);
            offsets[i] = beta[i] - (mean[i] * factors[i]);
        }

        return (factors, offsets);
    }

    private static bool HasChannels(Node node) =>
        node.Inputs[0] is { } x
        && node.Inputs[1] is { Constant: { DType: DType.F32, Shape.Rank: 1 } constant }
        && x.Type.Shape is { HasRank: true, Rank: > 1 } shape
        && constant.Shape[0] == shape[-1];
}
