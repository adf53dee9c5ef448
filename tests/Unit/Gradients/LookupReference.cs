using Optc.Ir;
using Optc.Ops;
using static Optc.Tests.Unit.Gradients.ElementwiseReference;

namespace Optc.Tests.Unit.Gradients;

/// <summary>Ops whose elements are found by index or by size, and images of another size.</summary>
internal static class LookupReference
{
    public static IEnumerable<KeyValuePair<Type, DoubleRule>> Rules { get; } =
    [
        Rule<Gather>((node, x) =>
        {
            Gather op = (Gather)node.Op;
            (Shape from, Shape indices) = (node.Inputs[0]!.Type.Shape, node.Inputs[1]!.Type.Shape);
            int axis = op.Axis < 0 ? op.Axis + from.Rank : op.Axis;
            int batch = op.BatchDims < 0 ? op.BatchDims + indices.Rank : op.BatchDims;
            int width = indices.Rank - batch;
            return
            [
                [
                    .. Positions(node.Output.Type.Shape).Select(at =>
                    {
                        int index = (int)x[1]![Index([.. at[..batch], .. at[axis..(axis + width)]], indices)];
                        return x[0]![Index([.. at[..axis], index, .. at[(axis + width)..]], from)];
                    }),
                ],
            ];
        }),
        Rule<GatherNd>((node, x) =>
        {
            (Shape from, Shape indices) = (node.Inputs[0]!.Type.Shape, node.Inputs[1]!.Type.Shape);
            return
            [
                [
                    .. Positions(node.Output.Type.Shape).Select(at =>
                    {
                        int tuple = Index(at[..(indices.Rank - 1)], Shape.Of(indices.Dims[..^1]));
                        IEnumerable<int> place = Enumerable.Range(0, indices[-1]).Select(i => (int)x[1]![(tuple * indices[-1]) + i]);
                        return x[0]![Index([.. place, .. at[(indices.Rank - 1)..]], from)];
                    }),
                ],
            ];
        }),
        Rule<ScatterNd>((node, x) =>
        {
            (Shape indices, Shape updates, Shape to) = (node.Inputs[0]!.Type.Shape, node.Inputs[1]!.Type.Shape, node.Output.Type.Shape);
            double[] y = new double[to.ElementCount];
            foreach (int[] at in Positions(updates))
            {
                int tuple = Index(at[..(indices.Rank - 1)], Shape.Of(indices.Dims[..^1]));
                IEnumerable<int> place = Enumerable.Range(0, indices[-1]).Select(i => (int)x[0]![(tuple * indices[-1]) + i]);
                y[Index([.. place, .. at[(indices.Rank - 1)..]], to)] += x[1]![Index(at, updates)];
            }

            return [y];
        }),
        Rule<EmbeddingLookup>((node, x) =>
        {
            int run = x[1]!.Length / node.Inputs[1]!.Type.Shape[0];
            return [[.. x[0]!.SelectMany(row => x[1]!.Skip((int)row * run).Take(run))]];
        }),
        Rule<OneHot>((node, x) =>
        {
            int axis = ((OneHot)node.Op).Axis;
            Shape y = node.Output.Type.Shape;
            axis = axis < 0 ? axis + y.Rank : axis;
            return
            [
                [
                    .. Positions(y).Select(at =>
                        x[at[axis] == (int)x[0]![Index([.. at.Where((_, i) => i != axis)], node.Inputs[0]!.Type.Shape)] ? 2 : 3]![0]),
                ],
            ];
        }),
        Rule<Fill>((node, x) => [[.. Enumerable.Repeat(x[1]![0], (int)node.Output.Type.ElementCount)]]),
        Rule<DynamicUpdateSlice>((node, x) =>
        {
            (Shape whole, Shape update) = (node.Inputs[0]!.Type.Shape, node.Inputs[1]!.Type.Shape);
            double[] y = [.. x[0]!];
            foreach (int[] at in Positions(update))
            {
                y[Index([.. at.Select((p, i) => p + Math.Clamp((int)x[2]![i], 0, whole[i] - update[i]))], whole)] = x[1]![Index(at, update)];
            }

            return [y];
        }),
        Rule<TopkV2>((node, x) =>
        {
            int k = node.Outputs[0].Type.Shape[-1];
            return [[.. x[0]!.Chunk(node.Inputs[0]!.Type.Shape[-1]).SelectMany(row => row.OrderDescending().Take(k))]];
        }),
        Rule<ResizeBilinear>((node, x) =>
        {
            ResizeBilinear op = (ResizeBilinear)node.Op;
            return [Resized(node, x[0]!, op.AlignCorners, op.HalfPixelCenters, Lines)];
        }),
        Rule<ResizeNearestNeighbor>((node, x) =>
        {
            ResizeNearestNeighbor op = (ResizeNearestNeighbor)node.Op;
            return [Resized(node, x[0]!, op.AlignCorners, op.HalfPixelCenters, Nearest)];
        }),
    ];

    /// <summary>Weights of the old positions for one new position.</summary>
    private delegate IEnumerable<(int Place, double Weight)> Taps(int at, int size, int newSize, bool align, bool half);

    private static double[] Resized(Node node, double[] x, bool align, bool half, Taps taps)
    {
        (Shape from, Shape to) = (node.Inputs[0]!.Type.Shape, node.Output.Type.Shape);
        return
        [
            .. Positions(to).Select(at => taps(at[1], from[1], to[1], align, half).Sum(row =>
                taps(at[2], from[2], to[2], align, half).Sum(column =>
                    row.Weight * column.Weight * x[Index([at[0], row.Place, column.Place, at[3]], from)]))),
        ];
    }

    private static IEnumerable<(int Place, double Weight)> Lines(int at, int size, int newSize, bool align, bool half)
    {
        double scale = align && newSize > 1 ? (size - 1d) / (newSize - 1) : (double)size / newSize;
        double place = Math.Clamp(half ? ((at + 0.5) * scale) - 0.5 : at * scale, 0, size - 1);
        int lower = (int)place;
        return [(lower, 1 - (place - lower)), (Math.Min(lower + 1, size - 1), place - lower)];
    }

    /// <remarks>In float32, as the op is defined: a position between two pixels must fall on the same side.</remarks>
    private static IEnumerable<(int Place, double Weight)> Nearest(int at, int size, int newSize, bool align, bool half)
    {
        float scale = align && newSize > 1 ? (size - 1) / (float)(newSize - 1) : size / (float)newSize;
        float place = (at + (half ? 0.5f : 0)) * scale;
        float whole = align ? MathF.Round(place, MidpointRounding.AwayFromZero) : MathF.Floor(place);
        return [(Math.Clamp((int)whole, 0, size - 1), 1)];
    }
}
