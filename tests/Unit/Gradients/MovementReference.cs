using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ops;
using static Optc.Tests.Unit.Gradients.ElementwiseReference;

namespace Optc.Tests.Unit.Gradients;

/// <summary>Ops that move elements: for each element of the result, where it comes from.</summary>
internal static class MovementReference
{
    public static IEnumerable<KeyValuePair<Type, DoubleRule>> Rules { get; } =
    [
        Same<Squeeze>(),
        Same<ExpandDims>(),
        Moved<Transpose>((node, at, x) =>
        {
            int[] from = new int[at.Length];
            for (int i = 0; i < at.Length; i++)
            {
                from[(int)x[1]![i]] = at[i];
            }

            return from;
        }),
        Moved<Pad>((_, at, x) => Shifted(at, x[1]!)),
        Rule<PadV2>((node, x) => [[.. Moves(node, x, (_, at, _) => Shifted(at, x[1]!), x[2]![0])]]),
        Moved<MirrorPad>((node, at, x) => [.. at.Select((p, axis) => Mirrored(
            p - (int)x[1]![2 * axis], node.Inputs[0]!.Type.Shape[axis], ((MirrorPad)node.Op).Mode is MirrorPadMode.Symmetric))]),
        Moved<Slice>((_, at, x) => [.. at.Select((p, axis) => p + (int)x[1]![axis])]),
        Moved<Tile>((node, at, _) => [.. at.Select((p, axis) => p % node.Inputs[0]!.Type.Shape[axis])]),
        Rule<BroadcastTo>((node, x) => [[.. Positions(node.Output.Type.Shape).Select(at => x[0]![Index(at, node.Inputs[0]!.Type.Shape)])]]),
        Moved<ReverseV2>((node, at, x) =>
        {
            Shape shape = node.Inputs[0]!.Type.Shape;
            HashSet<int> axes = [.. x[1]!.Select(a => (int)(a < 0 ? a + shape.Rank : a))];
            return [.. at.Select((p, axis) => axes.Contains(axis) ? shape[axis] - 1 - p : p)];
        }),
        Moved<DepthToSpace>((node, at, _) =>
        {
            int block = ((DepthToSpace)node.Op).BlockSize;
            int channels = node.Output.Type.Shape[3];
            return [at[0], at[1] / block, at[2] / block, (((at[1] % block * block) + (at[2] % block)) * channels) + at[3]];
        }),
        Moved<SpaceToDepth>((node, at, _) =>
        {
            int block = ((SpaceToDepth)node.Op).BlockSize;
            int channels = node.Inputs[0]!.Type.Shape[3];
            int pixel = at[3] / channels;
            return [at[0], (at[1] * block) + (pixel / block), (at[2] * block) + (pixel % block), at[3] % channels];
        }),
        Moved<SpaceToBatchNd>((node, at, x) =>
        {
            int batches = node.Inputs[0]!.Type.Shape[0];
            int[] from = [.. at];
            from[0] = at[0] % batches;
            for (int i = x[1]!.Length - 1, rest = at[0] / batches; i >= 0; i--)
            {
                int block = (int)x[1]![i];
                from[i + 1] = (at[i + 1] * block) + (rest % block) - (int)x[2]![2 * i];
                rest /= block;
            }

            return from;
        }),
        Moved<BatchToSpaceNd>((node, at, x) =>
        {
            int place = 0;
            int[] from = [.. at];
            for (int i = 0; i < x[1]!.Length; i++)
            {
                int block = (int)x[1]![i];
                int whole = at[i + 1] + (int)x[2]![2 * i];
                from[i + 1] = whole / block;
                place = (place * block) + (whole % block);
            }

            from[0] += place * node.Output.Type.Shape[0];
            return from;
        }),
        Rule<Concatenation>((node, x) => [Joined(node, x, ((Concatenation)node.Op).Axis, node.Output.Type.Shape)]),
        Rule<Pack>((node, x) => [Stacked(node, x, ((Pack)node.Op).Axis)]),
        Rule<Split>((node, x) => Cut(node, x[1]!, node.Inputs[1]!.Type.Shape, (int)x[0]![0])),
        Rule<SplitV>((node, x) => Cut(node, x[0]!, node.Inputs[0]!.Type.Shape, (int)x[2]![0])),
        Rule<Unpack>((node, x) => Cut(node, x[0]!, node.Inputs[0]!.Type.Shape, ((Unpack)node.Op).Axis)),
        Rule<StridedSlice>((node, x) => [StridedSlices(node, x)]),
    ];

    /// <summary>A rule whose elements each come from one position of the first operand, or are 0 where it does not exist.</summary>
    public static KeyValuePair<Type, DoubleRule> Moved<TOp>(Func<Node, int[], double[]?[], int[]> source) =>
        Rule<TOp>((node, x) => [[.. Moves(node, x, source, 0)]]);

    private static IEnumerable<double> Moves(Node node, double[]?[] x, Func<Node, int[], double[]?[], int[]> source, double outside)
    {
        Shape shape = node.Inputs[0]!.Type.Shape;
        foreach (int[] at in Positions(node.Output.Type.Shape))
        {
            int[] from = source(node, at, x);
            bool exists = !from.Where((p, axis) => p < 0 || p >= shape[axis]).Any();
            yield return exists ? x[0]![Index(from, shape)] : outside;
        }
    }

    private static int[] Shifted(int[] at, double[] widths) => [.. at.Select((p, axis) => p - (int)widths[2 * axis])];

    private static int Mirrored(int place, int size, bool symmetric)
    {
        int repeated = symmetric ? 1 : 0;
        return place < 0 ? -place - repeated
            : place >= size ? (2 * size) - 2 + repeated - place
            : place;
    }

    private static int Axis(int axis, int rank) => axis < 0 ? axis + rank : axis;

    private static double[] Joined(Node node, double[]?[] x, int axis, Shape result)
    {
        axis = Axis(axis, result.Rank);
        return
        [
            .. Positions(result).Select(at =>
            {
                int[] from = [.. at];
                int operand = 0;
                for (; from[axis] >= node.Inputs[operand]!.Type.Shape[axis]; operand++)
                {
                    from[axis] -= node.Inputs[operand]!.Type.Shape[axis];
                }

                return x[operand]![Index(from, node.Inputs[operand]!.Type.Shape)];
            }),
        ];
    }

    private static double[] Stacked(Node node, double[]?[] x, int axis)
    {
        Shape result = node.Output.Type.Shape;
        axis = Axis(axis, result.Rank);
        return
        [
            .. Positions(result).Select(at => x[at[axis]]![Index([.. at.Where((_, i) => i != axis)], node.Inputs[0]!.Type.Shape)]),
        ];
    }

    /// <summary>Parts along an axis, which the results keep or have lost.</summary>
    private static double[][] Cut(Node node, double[] x, Shape shape, int axis)
    {
        axis = Axis(axis, shape.Rank);
        double[][] parts = new double[node.Outputs.Length][];
        int begin = 0;
        for (int i = 0; i < parts.Length; i++)
        {
            bool keeps = node.Outputs[i].Type.Shape.Rank == shape.Rank;
            int size = keeps ? node.Outputs[i].Type.Shape[axis] : 1;
            (int first, int last) = (begin, begin + size);
            parts[i] = [.. Positions(shape).Where(at => at[axis] >= first && at[axis] < last).Select(at => x[Index(at, shape)])];
            begin = last;
        }

        return parts;
    }

    /// <summary>As <c>x[begin:end:stride, ...]</c> of Python, entry by entry.</summary>
    private static double[] StridedSlices(Node node, double[]?[] x)
    {
        StridedSlice op = (StridedSlice)node.Op;
        Shape shape = node.Inputs[0]!.Type.Shape;
        int entries = x[1]!.Length;
        bool Bit(int mask, int i) => (mask >> i & 1) != 0;
        int named = Enumerable.Range(0, entries).Count(i => !Bit(op.EllipsisMask, i) && !Bit(op.NewAxisMask, i));
        List<int[]> places = [];
        for (int i = 0; i < entries; i++)
        {
            if (Bit(op.EllipsisMask, i))
            {
                for (int whole = shape.Rank - named; whole > 0; whole--)
                {
                    places.Add([.. Enumerable.Range(0, shape[places.Count])]);
                }
            }
            else if (!Bit(op.NewAxisMask, i))
            {
                int size = shape[places.Count];
                int step = (int)x[3]![i];
                int Resolve(double given, int low, int high) => Math.Clamp((int)(given < 0 ? given + size : given), low, high);
                int begin = Bit(op.BeginMask, i) ? (step > 0 ? 0 : size - 1) : Resolve(x[1]![i], step > 0 ? 0 : -1, step > 0 ? size : size - 1);
                int end = Bit(op.EndMask, i) ? (step > 0 ? size : -1) : Resolve(x[2]![i], step > 0 ? 0 : -1, step > 0 ? size : size - 1);
                List<int> chosen = [];
                for (int p = begin; step > 0 ? p < end : p > end; p += step)
                {
                    chosen.Add(p);
                }

                places.Add(Bit(op.ShrinkAxisMask, i) ? [begin] : [.. chosen]);
            }
        }

        while (places.Count < shape.Rank)
        {
            places.Add([.. Enumerable.Range(0, shape[places.Count])]);
        }

        return
        [
            .. Positions(Shape.Of([.. places.Select(p => p.Length)]))
                .Select(at => x[0]![Index([.. at.Select((p, axis) => places[axis][p])], shape)]),
        ];
    }
}
