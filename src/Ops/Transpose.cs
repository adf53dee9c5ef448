using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Bounds;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels.Movement;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>The dimensions in another order.</summary>
/// <remarks>
/// <para>Shape: <c>x [d0, ...], perm [rank] -> y</c> with <c>y.dim[i] = x.dim[perm[i]]</c>; perm i32 or i64, each axis once.</para>
/// <para>Types: any of whole bytes. Source: TFLite builtin 39, reference kernel <c>reference/transpose.h</c>, versions 1 to 7.</para>
/// </remarks>
public sealed record Transpose : IOp<Transpose>, IExecutable, IShrinkable, IMovesElements, IQuantizable, IDifferentiable, ITfLiteOp<Transpose>
{
    public static OpSchema Declaration { get; } = new("transpose", ["x", "perm"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.Transpose;

    public static int MaximumVersion => 7;

    public static Transpose Parse(AttributeReader attributes) => new();

    public static Transpose Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0] switch
        {
            { DType: DType.I4 } => 7,
            { Shape.Rank: > 5 } => 6,
            { DType: DType.I16 } => 5,
            { Shape.Rank: > 4 } => 4,
            { DType: DType.Bool } => 3,
            { DType: DType.I8 } => 2,
            _ => 1,
        },
        new TransposeOptions());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands[0];
        operands.Length(1);
        if (!x.Shape.HasRank)
        {
            return [x.Unranked()];
        }

        if (operands.Sizes(1, x.Shape.Rank) is not { } perm)
        {
            return [new(x.DType, Dimensions.Unknown(x.Shape.Rank))];
        }

        RequirePermutation(perm);
        return [x.Shaped([.. perm.Select(p => x.Shape[p])])];
    }

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Moving(operands.Count);

    public void Differentiate(GradientBuilder g)
    {
        int[] perm = g.ConstantInts(1);
        int[] inverse = new int[perm.Length];
        for (int i = 0; i < perm.Length; i++)
        {
            inverse[perm[i]] = i;
        }

        g.Give(0, g.Add(new Transpose(), g.Gradient(), g.Ints(inverse)));
    }

    public void TraceChannels(ChannelTracer t)
    {
        if (t.Ints(1) is not { } permutation)
        {
            t.FixInputs($"the order of {t.Node} is computed");
        }
        else if (t.Input(0) is { } x)
        {
            t.Give(x with { Axis = Array.IndexOf(permutation, x.Axis) });
        }
    }

    public Kernel Prepare(KernelContext context)
    {
        context.RequireSameQuantization();
        int elementSize = context.ElementSize();
        int[] perm = context.ConstantInts(1);
        long[] strides = StridedCopy.Strides(context.Input(0).Shape.Dims.AsSpan());
        ReadOnlySpan<int> sizes = context.Output(0).Shape.Dims.AsSpan();
        StridedCopy copy = new(elementSize, sizes, [.. perm.Select(p => strides[p])], StridedCopy.Strides(sizes));
        return () => copy.Run(context.InputBytes(0), context.OutputBytes(0));
    }

    private static void RequirePermutation(int[] perm)
    {
        bool[] seen = new bool[perm.Length];
        foreach (int axis in perm)
        {
            if ((uint)axis >= (uint)perm.Length || seen[axis])
            {
                throw new OpRuleException("a permutation names each axis once")
                {
                    Found = Shape.Create(perm).ToString(),
                    Expected = $"0 to {perm.Length - 1} in any order",
                };
            }

            seen[axis] = true;
        }
    }
}
