using Optc.Ir;
using Optc.Ops.Bounds;
using Optc.Ops.Channels;

namespace Optc.Passes.Shrink;

/// <summary>Where a smaller model may be given to other kernels than the larger one was.</summary>
internal static class ChannelWarnings
{
    /// <summary>Layers that lose all channels with scales that accelerated runtimes refuse.</summary>
    /// <remarks>
    /// XNNPACK takes ratios of scales in <c>[2^-32, 256)</c> and normal scales; a layer with others is left to kernels that round otherwise.
    /// </remarks>
    public static IEnumerable<string> Of(Graph graph, ChannelTracer trace, ChannelNeeds needs)
    {
        int layers = 0;
        int channels = 0;
        foreach (Node node in graph.Nodes)
        {
            if (node.Op is not ISumsProducts || trace.AxisOf(node.Output) is not { } axis || node.Inputs[1]!.Type is not { Quant: not null, DType: DType.I8 } w
                || node.Inputs[0]!.Type is not { Quant: not null, DType: DType.I8 } x)
            {
                continue;
            }

            int strange = 0;
            for (int o = 0; o < axis.Count; o++)
            {
                float ratio = ProductSum.ScaleRatio(x, w, node.Output.Type, o);
                float scale = w.Quant!.Scales[w.Quant.IsPerAxis ? o : 0];
                strange += !needs.IsNeeded(axis.Channels[o]) && w.Quant.IsPerAxis && (!(ratio >= 1f / (1L << 31) && ratio < 256) || !float.IsNormal(scale)) ? 1 : 0;
            }

            layers += strange > 0 ? 1 : 0;
            channels += strange;
        }

        if (channels > 0)
        {
            yield return FormattableString.Invariant(
                $"{channels} channels of {layers} layers that went have scales which a delegate may refuse: one that left these layers alone may take them now, and round as it does");
        }
    }
}
