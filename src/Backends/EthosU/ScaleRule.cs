using System.Collections.Immutable;
using Optc.Formats.EthosU;
using Optc.Ir;
using Optc.Ops;

namespace Optc.Backends.EthosU;

/// <summary>Biases and scales of a layer as the reference kernels compute with them.</summary>
/// <remarks>
/// The product of the scales of input and weights is taken in float for uint8 inputs and for dense layers, else in double; the quotient by that of
/// the output is in double. Inputs of 16 bits with a bias of 64 bits use a multiplier of 16 bits. Source: Arm's open compiler Vela, module
/// <c>weight_compressor</c>, which follows the kernels of TFLite.
/// </remarks>
internal static class ScaleRule
{
    /// <param name="channels">Number of output channels.</param>
    /// <returns>One entry for each channel; the default if one cannot be stored.</returns>
    public static ImmutableArray<ScaleEntry> EntriesOf(Node node, Value x, Value w, Value? bias, int channels)
    {
        bool isFloat = x.Type.DType is DType.U8 || node.Op is FullyConnected;
        bool isReduced = x.Type.DType is DType.I16 && bias is { Type.DType: DType.I64 };
        long[]? biases = bias is null ? new long[channels] : BiasesOf(bias.Constant!);
        ImmutableArray<float> scales = w.Type.Quant!.Scales;
        if (biases is null || biases.Length != channels || (scales.Length != 1 && scales.Length != channels))
        {
            return default;
        }

        ScaleEntry[] entries = new ScaleEntry[channels];
        for (int i = 0; i < channels; i++)
        {
            float scale = scales[scales.Length == 1 ? 0 : i];
            double product = isFloat ? x.Type.Quant!.Scale * scale : (double)x.Type.Quant!.Scale * scale;
            double multiplier = product / node.Output.Type.Quant!.Scale;
            if (multiplier is not (>= 0 and < double.PositiveInfinity) || biases[i] is > ScaleEntry.LargestBias or < -ScaleEntry.LargestBias - 1)
            {
                return default;
            }

            ScaleEntry entry = ScaleEntry.Of(biases[i], multiplier);
            if ((isReduced ? entry.Reduced() : entry) is not { } stored)
            {
                return default;
            }

            entries[i] = stored;
        }

        return [.. entries];
    }

    private static long[]? BiasesOf(TensorData bias)
    {
        TensorData dense = bias.ToDense();
        return dense.DType switch
        {
            DType.I32 => [.. dense.Span<int>().ToArray().Select(b => (long)b)],
            DType.I64 => dense.Span<long>().ToArray(),
            _ => null,
        };
    }
}
