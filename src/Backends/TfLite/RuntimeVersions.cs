using System.Collections.Immutable;
using System.Globalization;
using Optc.Formats.TfLite;

namespace Optc.Backends.TfLite;

/// <summary>The oldest runtime that knows every operator of a file: what files of other writers state in a metadata entry.</summary>
/// <remarks>Source: the (operator, version) to release table of LiteRT's versioning tool, as stored in 2025.</remarks>
public static class RuntimeVersions
{
    public const string MetadataName = "min_runtime_version";

    private static readonly ImmutableArray<Release> Releases =
    [
        new(1, 5, 0,
        [
            (BuiltinOperator.AveragePool2D, 1), (BuiltinOperator.MaxPool2D, 1), (BuiltinOperator.Conv2D, 1),
            (BuiltinOperator.DepthwiseConv2D, 1), (BuiltinOperator.Add, 1), (BuiltinOperator.Mul, 1),
            (BuiltinOperator.Concatenation, 1), (BuiltinOperator.FullyConnected, 1),
            (BuiltinOperator.L2Normalization, 1), (BuiltinOperator.Pad, 1), (BuiltinOperator.Reshape, 1),
            (BuiltinOperator.Softmax, 1), (BuiltinOperator.SpaceToDepth, 1), (BuiltinOperator.Split, 1),
            (BuiltinOperator.Svdf, 1), (BuiltinOperator.Cast, 1), (BuiltinOperator.Relu, 1),
            (BuiltinOperator.Relu6, 1), (BuiltinOperator.ReluN1To1, 1), (BuiltinOperator.Rnn, 1),
        ]),
        new(1, 6, 0,
        [
            (BuiltinOperator.Sub, 1), (BuiltinOperator.Div, 1), (BuiltinOperator.Mean, 1),
            (BuiltinOperator.Gather, 1), (BuiltinOperator.Squeeze, 1), (BuiltinOperator.StridedSlice, 1),
            (BuiltinOperator.Transpose, 1), (BuiltinOperator.SpaceToBatchNd, 1),
            (BuiltinOperator.BatchToSpaceNd, 1),
        ]),
        new(1, 7, 0,
        [
            (BuiltinOperator.ResizeBilinear, 1), (BuiltinOperator.Lstm, 1), (BuiltinOperator.Exp, 1),
            (BuiltinOperator.TopkV2, 1),
        ]),
        new(1, 8, 0,
        [
            (BuiltinOperator.Prelu, 1),
        ]),
        new(1, 9, 0,
        [
            (BuiltinOperator.Neg, 1), (BuiltinOperator.Padv2, 1), (BuiltinOperator.ArgMax, 1),
            (BuiltinOperator.ArgMin, 1), (BuiltinOperator.TransposeConv, 1), (BuiltinOperator.Floor, 1),
            (BuiltinOperator.Sin, 1), (BuiltinOperator.SparseToDense, 1),
        ]),
        new(1, 10, 0,
        [
            (BuiltinOperator.FullyConnected, 2), (BuiltinOperator.FakeQuant, 2), (BuiltinOperator.Sum, 1),
            (BuiltinOperator.ExpandDims, 1), (BuiltinOperator.Shape, 1), (BuiltinOperator.Pow, 1),
            (BuiltinOperator.Sqrt, 1), (BuiltinOperator.Rsqrt, 1), (BuiltinOperator.Lstm, 2),
        ]),
        new(1, 10, 1,
        [
            (BuiltinOperator.Tile, 1),
        ]),
        new(1, 11, 0,
        [
            (BuiltinOperator.Pack, 1), (BuiltinOperator.Unpack, 1), (BuiltinOperator.ReduceMax, 1),
            (BuiltinOperator.ReduceMin, 1), (BuiltinOperator.OneHot, 1), (BuiltinOperator.LogicalOr, 1),
            (BuiltinOperator.LogicalAnd, 1), (BuiltinOperator.LogicalNot, 1),
        ]),
        new(1, 12, 0,
        [
            (BuiltinOperator.DepthwiseConv2D, 2), (BuiltinOperator.Square, 1), (BuiltinOperator.ZerosLike, 1),
        ]),
        new(1, 13, 0,
        [
            (BuiltinOperator.Abs, 1), (BuiltinOperator.Fill, 1), (BuiltinOperator.FloorMod, 1),
            (BuiltinOperator.Range, 1),
        ]),
        new(1, 13, 1,
        [
            (BuiltinOperator.UnidirectionalSequenceLstm, 1), (BuiltinOperator.LeakyRelu, 1),
            (BuiltinOperator.Dequantize, 1), (BuiltinOperator.SplitV, 1), (BuiltinOperator.MirrorPad, 1),
            (BuiltinOperator.SquaredDifference, 1), (BuiltinOperator.ResizeNearestNeighbor, 1),
        ]),
        new(1, 14, 0,
        [
            (BuiltinOperator.AveragePool2D, 2), (BuiltinOperator.MaxPool2D, 2), (BuiltinOperator.Conv2D, 2),
            (BuiltinOperator.Add, 2), (BuiltinOperator.Sub, 2), (BuiltinOperator.Mul, 2),
            (BuiltinOperator.Concatenation, 2), (BuiltinOperator.Gather, 2), (BuiltinOperator.Svdf, 2),
            (BuiltinOperator.L2Normalization, 2), (BuiltinOperator.Maximum, 2), (BuiltinOperator.Minimum, 2),
            (BuiltinOperator.Pad, 2), (BuiltinOperator.Padv2, 2), (BuiltinOperator.Softmax, 2),
            (BuiltinOperator.SpaceToDepth, 2), (BuiltinOperator.Transpose, 2), (BuiltinOperator.Mean, 2),
            (BuiltinOperator.ReduceMax, 2), (BuiltinOperator.ReduceMin, 2), (BuiltinOperator.Relu6, 2),
            (BuiltinOperator.ResizeBilinear, 2), (BuiltinOperator.ResizeNearestNeighbor, 2),
            (BuiltinOperator.Split, 2), (BuiltinOperator.StridedSlice, 2), (BuiltinOperator.ArgMax, 2),
            (BuiltinOperator.ArgMin, 2), (BuiltinOperator.Pack, 2), (BuiltinOperator.Unpack, 2),
            (BuiltinOperator.Slice, 2), (BuiltinOperator.Tanh, 2), (BuiltinOperator.Logistic, 2),
            (BuiltinOperator.LogSoftmax, 2), (BuiltinOperator.Equal, 2), (BuiltinOperator.NotEqual, 2),
            (BuiltinOperator.Greater, 2), (BuiltinOperator.GreaterEqual, 2), (BuiltinOperator.Less, 2),
            (BuiltinOperator.LessEqual, 2), (BuiltinOperator.Select, 2), (BuiltinOperator.SpaceToBatchNd, 2),
            (BuiltinOperator.BatchToSpaceNd, 2), (BuiltinOperator.TopkV2, 2), (BuiltinOperator.Dequantize, 2),
            (BuiltinOperator.Conv2D, 3), (BuiltinOperator.Maximum, 1), (BuiltinOperator.Minimum, 1),
            (BuiltinOperator.Split, 3), (BuiltinOperator.Slice, 1), (BuiltinOperator.Slice, 3),
            (BuiltinOperator.Tanh, 1), (BuiltinOperator.Logistic, 1), (BuiltinOperator.LogSoftmax, 1),
            (BuiltinOperator.Equal, 1), (BuiltinOperator.NotEqual, 1), (BuiltinOperator.Greater, 1),
            (BuiltinOperator.GreaterEqual, 1), (BuiltinOperator.Less, 1), (BuiltinOperator.LessEqual, 1),
            (BuiltinOperator.Select, 1), (BuiltinOperator.DepthwiseConv2D, 3), (BuiltinOperator.FullyConnected, 3),
            (BuiltinOperator.FullyConnected, 4), (BuiltinOperator.Quantize, 1), (BuiltinOperator.GatherNd, 1),
            (BuiltinOperator.AddN, 1), (BuiltinOperator.Elu, 1), (BuiltinOperator.Round, 1),
            (BuiltinOperator.Ceil, 1), (BuiltinOperator.Cos, 1), (BuiltinOperator.Log, 1),
            (BuiltinOperator.FloorDiv, 1), (BuiltinOperator.FloorDiv, 2), (BuiltinOperator.ReverseV2, 1),
            (BuiltinOperator.Where, 1), (BuiltinOperator.Rank, 1), (BuiltinOperator.UnidirectionalSequenceLstm, 2),
        ]),
        new(1, 15, 0,
        [
            (BuiltinOperator.If, 1), (BuiltinOperator.While, 1), (BuiltinOperator.HardSwish, 1),
            (BuiltinOperator.Mul, 3), (BuiltinOperator.Gather, 3), (BuiltinOperator.Transpose, 3),
            (BuiltinOperator.Quantize, 2), (BuiltinOperator.Dequantize, 3), (BuiltinOperator.Sum, 2),
            (BuiltinOperator.SparseToDense, 3),
        ]),
        new(2, 0, 0,
        [
            (BuiltinOperator.FullyConnected, 5),
        ]),
        new(2, 1, 0,
        [
            (BuiltinOperator.FullyConnected, 6), (BuiltinOperator.DepthToSpace, 1),
            (BuiltinOperator.StridedSlice, 3), (BuiltinOperator.Relu, 2),
        ]),
        new(2, 2, 0,
        [
            (BuiltinOperator.DepthwiseConv2D, 4), (BuiltinOperator.Svdf, 3), (BuiltinOperator.ResizeBilinear, 3),
            (BuiltinOperator.TransposeConv, 2), (BuiltinOperator.StridedSlice, 4), (BuiltinOperator.Unpack, 3),
            (BuiltinOperator.Tile, 2), (BuiltinOperator.Dequantize, 4), (BuiltinOperator.SelectV2, 1),
            (BuiltinOperator.ReverseV2, 2), (BuiltinOperator.Densify, 1),
        ]),
        new(2, 3, 0,
        [
            (BuiltinOperator.AveragePool2D, 3), (BuiltinOperator.MaxPool2D, 3), (BuiltinOperator.Conv2D, 4),
            (BuiltinOperator.DepthwiseConv2D, 5), (BuiltinOperator.DepthwiseConv2D, 6),
            (BuiltinOperator.FullyConnected, 7), (BuiltinOperator.FullyConnected, 8),
            (BuiltinOperator.FullyConnected, 9), (BuiltinOperator.Mul, 4), (BuiltinOperator.Sub, 3),
            (BuiltinOperator.Div, 2), (BuiltinOperator.Concatenation, 3), (BuiltinOperator.Softmax, 3),
            (BuiltinOperator.Tanh, 3), (BuiltinOperator.Logistic, 3), (BuiltinOperator.LeakyRelu, 2),
            (BuiltinOperator.Maximum, 3), (BuiltinOperator.Maximum, 4), (BuiltinOperator.Minimum, 3),
            (BuiltinOperator.Minimum, 4), (BuiltinOperator.Pack, 3), (BuiltinOperator.Unpack, 4),
            (BuiltinOperator.Split, 4), (BuiltinOperator.SplitV, 2), (BuiltinOperator.Transpose, 4),
            (BuiltinOperator.TransposeConv, 3), (BuiltinOperator.Svdf, 4), (BuiltinOperator.BatchMatmul, 1),
            (BuiltinOperator.BatchMatmul, 2), (BuiltinOperator.ResizeNearestNeighbor, 3),
            (BuiltinOperator.MirrorPad, 2), (BuiltinOperator.Equal, 3), (BuiltinOperator.NotEqual, 3),
            (BuiltinOperator.Fill, 2), (BuiltinOperator.GatherNd, 2), (BuiltinOperator.SpaceToBatchNd, 3),
            (BuiltinOperator.BatchToSpaceNd, 3), (BuiltinOperator.Lstm, 4),
            (BuiltinOperator.UnidirectionalSequenceLstm, 3),
        ]),
        new(2, 4, 0,
        [
            (BuiltinOperator.Add, 3), (BuiltinOperator.Sub, 4), (BuiltinOperator.Sub, 5),
            (BuiltinOperator.Conv2D, 5), (BuiltinOperator.Mean, 3), (BuiltinOperator.Pad, 3),
            (BuiltinOperator.Padv2, 3), (BuiltinOperator.Gather, 4), (BuiltinOperator.Transpose, 5),
            (BuiltinOperator.Slice, 4), (BuiltinOperator.BatchMatmul, 3),
            (BuiltinOperator.ResizeNearestNeighbor, 4), (BuiltinOperator.Abs, 2), (BuiltinOperator.Cumsum, 1),
        ]),
        new(2, 5, 0,
        [
            (BuiltinOperator.BroadcastTo, 2), (BuiltinOperator.BroadcastTo, 3), (BuiltinOperator.CallOnce, 1),
            (BuiltinOperator.BatchMatmul, 4), (BuiltinOperator.Gather, 5), (BuiltinOperator.GatherNd, 3),
            (BuiltinOperator.DepthToSpace, 2), (BuiltinOperator.ResizeBilinear, 4), (BuiltinOperator.ReduceMax, 3),
            (BuiltinOperator.ReduceMin, 3), (BuiltinOperator.Relu, 3), (BuiltinOperator.Relu6, 3),
            (BuiltinOperator.Rsqrt, 2), (BuiltinOperator.SquaredDifference, 2), (BuiltinOperator.Slice, 5),
            (BuiltinOperator.StridedSlice, 5), (BuiltinOperator.Squeeze, 2), (BuiltinOperator.Abs, 3),
            (BuiltinOperator.Fill, 3), (BuiltinOperator.ReverseV2, 3),
        ]),
        new(2, 6, 0,
        [
            (BuiltinOperator.Add, 4), (BuiltinOperator.Mul, 5), (BuiltinOperator.Pad, 4),
            (BuiltinOperator.Padv2, 4), (BuiltinOperator.StridedSlice, 6), (BuiltinOperator.Abs, 4),
            (BuiltinOperator.ReduceProd, 2), (BuiltinOperator.VarHandle, 1), (BuiltinOperator.ReadVariable, 1),
            (BuiltinOperator.AssignVariable, 1), (BuiltinOperator.BroadcastArgs, 1), (BuiltinOperator.ReduceAll, 1),
        ]),
        new(2, 7, 0,
        [
            (BuiltinOperator.Cast, 2), (BuiltinOperator.Quantize, 3), (BuiltinOperator.Dequantize, 5),
        ]),
        new(2, 8, 0,
        [
            (BuiltinOperator.Cast, 3), (BuiltinOperator.Tile, 3), (BuiltinOperator.Where, 2),
        ]),
        new(2, 9, 0,
        [
            (BuiltinOperator.Conv2D, 6), (BuiltinOperator.Cast, 4), (BuiltinOperator.ArgMax, 3),
            (BuiltinOperator.ArgMin, 3), (BuiltinOperator.Gelu, 1), (BuiltinOperator.Gelu, 2),
            (BuiltinOperator.DynamicUpdateSlice, 1),
        ]),
        new(2, 10, 0,
        [
            (BuiltinOperator.Relu0To1, 1),
        ]),
        new(2, 11, 0,
        [
            (BuiltinOperator.Conv2D, 7), (BuiltinOperator.DepthwiseConv2D, 7), (BuiltinOperator.FullyConnected, 10),
            (BuiltinOperator.Mul, 6), (BuiltinOperator.Sign, 1),
        ]),
        new(2, 12, 0,
        [
            (BuiltinOperator.Abs, 5), (BuiltinOperator.Cast, 5), (BuiltinOperator.Exp, 2),
            (BuiltinOperator.Fill, 4), (BuiltinOperator.MirrorPad, 3), (BuiltinOperator.Select, 3),
            (BuiltinOperator.Select, 4), (BuiltinOperator.SelectV2, 2), (BuiltinOperator.SpaceToBatchNd, 4),
            (BuiltinOperator.BatchToSpaceNd, 4), (BuiltinOperator.Transpose, 6),
            (BuiltinOperator.UnidirectionalSequenceLstm, 4), (BuiltinOperator.Sign, 2),
        ]),
        new(2, 13, 0,
        [
            (BuiltinOperator.Add, 5), (BuiltinOperator.Mul, 7), (BuiltinOperator.TransposeConv, 4),
            (BuiltinOperator.Pack, 4), (BuiltinOperator.Gather, 6), (BuiltinOperator.GatherNd, 4),
            (BuiltinOperator.FloorDiv, 3), (BuiltinOperator.FloorMod, 2), (BuiltinOperator.Equal, 4),
            (BuiltinOperator.Less, 3), (BuiltinOperator.GreaterEqual, 3), (BuiltinOperator.TopkV2, 3),
        ]),
        new(2, 14, 0,
        [
            (BuiltinOperator.Concatenation, 4), (BuiltinOperator.Slice, 6), (BuiltinOperator.StridedSlice, 7),
            (BuiltinOperator.StridedSlice, 8), (BuiltinOperator.Range, 2),
        ]),
        new(2, 14, 4,
        [
            (BuiltinOperator.Transpose, 7),
        ]),
        new(2, 15, 0,
        [
            (BuiltinOperator.Conv2D, 8), (BuiltinOperator.FullyConnected, 11), (BuiltinOperator.TransposeConv, 5),
            (BuiltinOperator.Cast, 6), (BuiltinOperator.Gather, 7), (BuiltinOperator.Rsqrt, 3),
            (BuiltinOperator.Log, 2),
        ]),
        new(2, 16, 0,
        [
            (BuiltinOperator.GatherNd, 5),
        ]),
        new(2, 17, 0,
        [
            (BuiltinOperator.FullyConnected, 12), (BuiltinOperator.Cast, 7),
            (BuiltinOperator.DynamicUpdateSlice, 2),
        ]),
        new(2, 18, 0,
        [
            (BuiltinOperator.FullyConnected, 13), (BuiltinOperator.Dequantize, 6),
            (BuiltinOperator.EmbeddingLookup, 4),
        ]),
        new(2, 19, 0,
        [
            (BuiltinOperator.DynamicUpdateSlice, 3),
        ]),
        new(2, 20, 0,
        [
            (BuiltinOperator.DynamicUpdateSlice, 4),
        ]),
    ];

    /// <summary>E.g. <c>2.3.0</c>, or <see langword="null"/> when no operator is listed.</summary>
    /// <param name="codes">Operators and versions of the file; those that are not listed are skipped.</param>
    public static string? Minimum(IEnumerable<OperatorCodeRecord> codes)
    {
        Release? newest = codes.Select(c => ReleaseOf(c.BuiltinCode, c.Version)).OfType<Release>().MaxBy(r => (r.Major, r.Minor, r.Patch));
        return newest is null ? null : string.Create(CultureInfo.InvariantCulture, $"{newest.Major}.{newest.Minor}.{newest.Patch}");
    }

    private static Release? ReleaseOf(BuiltinOperator code, int version) =>
        Releases.FirstOrDefault(r => r.Introduced.Contains((code, version)));

    private sealed record Release(int Major, int Minor, int Patch, ImmutableArray<(BuiltinOperator Code, int Version)> Introduced);
}
