using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;

namespace Optc.Passes.Fuse;

/// <summary>
/// Makes a border of zeros the SAME padding of the convolution behind it.
/// <code>
///   conv_2d(pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]), w 3x3, padding: valid)
///   => conv_2d(x, w, padding: same)
/// </code>
/// </summary>
/// <remarks>
/// Fires when SAME begins as many elements before the image as the border and gives as many outputs: the windows are then
/// the same. (A border may be wider behind than any window reaches.) Not for pools, which do not count what SAME pads.
/// </remarks>
public sealed class FusePad : IRewriteRule
{
    public string Name => "fuse-pad";

    public string Summary => "makes a PAD of zeros the SAME padding of the convolution behind it, where the windows are the same";

    public bool Concerns(IOp op) => op is Conv2D or DepthwiseConv2D;

    public Rewrite Apply(Graph graph, Node node, GraphPatch patch)
    {
        Value padded = node.Inputs[0]!;
        if (padded.Producer is not { Op: Pad or PadV2 } pad)
        {
            return Rewrite.Decline("its input is not the result of a PAD");
        }

        if (node.Op is Conv2D { Padding: not PaddingMode.Valid } or DepthwiseConv2D { Padding: not PaddingMode.Valid })
        {
            return Rewrite.Decline("it pads already");
        }

        if (padded.UseCount > 1 || graph.IsOutput(padded))
        {
            return Rewrite.Decline($"'{padded.Name}' has other uses, so that its node stays");
        }

        Value x = pad.Inputs[0]!;
        if (x.IsVariable)
        {
            return Rewrite.Decline($"the variable '{x.Name}' may change before the convolution reads it");
        }

        if (!Equals(x.Type.Quant, padded.Type.Quant))
        {
            return Rewrite.Decline("the border changes the quantization");
        }

        if (pad.Op is PadV2 && !IsZero(pad.Inputs[2]!, padded.Type))
        {
            return Rewrite.Decline("the border is not known to be zero");
        }

        if (pad.Inputs[1]!.Constant is not { } constant)
        {
            return Rewrite.Decline("the widths of the border are computed");
        }

        int[] widths = constant.ToDense().AsInts();
        if (widths is not [0, 0, _, _, _, _, 0, 0])
        {
            return Rewrite.Decline("the border is not around the image alone");
        }

        Shape w = node.Inputs[1]!.Type.Shape;
        (int strideH, int strideW, int dilationH, int dilationW, IOp same) = node.Op switch
        {
            Conv2D op => (op.StrideH, op.StrideW, op.DilationH, op.DilationW, op with { Padding = PaddingMode.Same }),
            DepthwiseConv2D op => (op.StrideH, op.StrideW, op.DilationH, op.DilationW, (IOp)(op with { Padding = PaddingMode.Same })),
            _ => throw new ArgumentException($"{node} is no convolution.", nameof(node)),
        };
        string? reason = WhyNot(x.Type.Shape[1], w[1], strideH, dilationH, widths[2], widths[3], "rows")
            ?? WhyNot(x.Type.Shape[2], w[2], strideW, dilationW, widths[4], widths[5], "columns");
        if (reason is not null)
        {
            return Rewrite.Decline(reason);
        }

        return HasInfinity(node.Inputs[1]!)
            ? Rewrite.Decline("a weight that is not finite makes the border not a number")
            : patch.Replace(node.Output, patch.Add(same, node.Inputs.SetItem(0, x), node.Output, node.Name));
    }

    private static string? WhyNot(int input, int kernel, int stride, int dilation, int before, int after, string what)
    {
        if (input < 0)
        {
            return $"the number of {what} is not known";
        }

        Window same = Window.Same(input, kernel, stride, dilation);
        Window explicitly = Window.Explicit(input, kernel, stride, dilation, before, after);
        return same.Before == before && same.Output == explicitly.Output
            ? null
            : $"SAME pads {same.Before} and {same.After} {what}, the border has {before} and {after}";
    }

    private static bool IsZero(Value value, TensorType padded) => value.Constant is { } constant && constant.DType switch
    {
        DType.F32 => constant.ToDense().AsFloats()[0] == 0,
        DType.I8 => padded.Quant is not null && constant.ToDense().Span<sbyte>()[0] == padded.ZeroPoint,
        DType.U8 => padded.Quant is not null && constant.ToDense().Span<byte>()[0] == padded.ZeroPoint,
        DType.I16 => padded.Quant is not null && constant.ToDense().Span<short>()[0] == padded.ZeroPoint,
        _ => false,
    };

    private static bool HasInfinity(Value weights) =>
        weights.Constant is { DType: DType.F32, Sparse: null } constant && constant.AsFloats().ToArray().Any(w => !float.IsFinite(w));
}
