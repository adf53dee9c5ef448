using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>An op that makes one element of all that differ only in their position along some axes.</summary>
/// <param name="KeepDims">True when the reduced dimensions stay, with size 1.</param>
/// <remarks>
/// Shape: <c>x [any], axes [n] -> y [dimensions that are not among the axes]</c>. Axes may be negative, repeated, or none
/// at all; those of a scalar do not count. Axes that are computed leave the shape open until the run.
/// </remarks>
public abstract record Reduction<TSelf>(bool KeepDims) : IExecutable, IShrinkable
    where TSelf : Reduction<TSelf>, IOp<TSelf>
{
    public void Describe(AttributeWriter attributes) => attributes.Add("keep_dims", KeepDims);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands.RequireOneOf(0, TSelf.Declaration.Kernels);
        operands.Require(1, DType.I32, DType.I64);
        int[]? axes = operands.Ints(1);
        return [new(x.DType, axes is not null ? Reduce(x.Shape, axes) : KeepDims && x.Shape.HasRank ? Unknown(x.Shape.Rank) : Shape.Unranked)];
    }

    public void TraceChannels(ChannelTracer t)
    {
        if (t.Input(0) is not { } x)
        {
            return;
        }

        bool[]? reduced = t.Ints(1) is { } axes ? Reduced(t.Shape(0).Rank, axes) : null;
        if (reduced is null || reduced[x.Axis])
        {
            t.Fix(x, $"{t.Node} reduces all channels to one number");
            return;
        }

        t.Give(x with { Axis = KeepDims ? x.Axis : reduced.Take(x.Axis).Count(r => !r) });
    }

    /// <exception cref="OpRuleException">There is no kernel for these types.</exception>
    public abstract Kernel Prepare(KernelContext context);

    private protected static TfLiteEncoding Encode(int version, bool keepDims) => new(version, new ReducerOptions { KeepDims = keepDims });

    /// <summary>Which dimensions of the first operand are reduced.</summary>
    /// <exception cref="OpRuleException">The axes are computed.</exception>
    private protected static bool[] Axes(GradientBuilder g) => Reduced(
        g.Input(0).Type.Shape.Rank,
        (g.Input(1).Constant ?? throw new OpRuleException("axes that are computed have no gradient")).AsInts());

    /// <summary>Gradient of an extremum: elements that equal it share the gradient.</summary>
    private protected static void ShareAmongEqual(GradientBuilder g)
    {
        Value x = g.Input(0);
        bool[] reduced = Axes(g);
        Shape kept = Shape.Of([.. x.Type.Shape.Select((size, axis) => reduced[axis] ? 1 : size)]);
        Value isExtreme = g.Add(new Equal(), x, g.Reshape(g.Output(), kept));
        Value count = g.Add(new Sum(KeepDims: true), g.Choose(isExtreme, g.Scalar(1), g.Scalar(0)), g.Input(1));
        g.Give(0, g.OnlyWhere(isExtreme, g.Divide(g.Reshape(g.Gradient(), kept), count)));
    }

    private protected static ReductionPlan Plan(KernelContext context)
    {
        Shape shape = context.Input(0).Shape;
        return ReductionPlan.Create(shape, Reduced(shape.Rank, context.ConstantInts(1)));
    }

    private protected static Kernel PrepareFloat<TReducer>(KernelContext context)
        where TReducer : struct, IFloatReducer
    {
        ReductionPlan plan = Plan(context);
        return () => plan.RunFloat(context.In<float>(0), context.Out<float>(0), default(TReducer));
    }

    private protected static Kernel PrepareIn<T, TReducer>(KernelContext context)
        where T : unmanaged
        where TReducer : struct, IReducer<T, T>
    {
        ReductionPlan plan = Plan(context);
        return () => plan.Run(context.In<T>(0), context.Out<T>(0), default(TReducer));
    }

    private Shape Reduce(Shape x, int[] axes)
    {
        if (!x.HasRank)
        {
            return x;
        }

        bool[] reduced = Reduced(x.Rank, axes);
        List<int> dims = [];
        for (int i = 0; i < reduced.Length; i++)
        {
            if (!reduced[i])
            {
                dims.Add(x[i]);
            }
            else if (KeepDims)
            {
                dims.Add(1);
            }
        }

        return Shape.Of([.. dims]);
    }

    private static bool[] Reduced(int rank, int[] axes)
    {
        bool[] reduced = new bool[rank];
        foreach (int axis in rank == 0 ? [] : axes)
        {
            reduced[OperandTypes.Axis(axis, rank)] = true;
        }

        return reduced;
    }

    private static Shape Unknown(int rank)
    {
        int[] dims = new int[rank];
        Array.Fill(dims, -1);
        return Shape.Create(dims);
    }
}
