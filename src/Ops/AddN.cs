using System.Collections.Immutable;
using System.Numerics;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Sum of two or more tensors of one shape, in their order.</summary>
/// <remarks>
/// <para>Shape: <c>x* [any] -> y [same]</c>; nothing is broadcast.</para>
/// <para>Types: f32; i32, wrapping; i8, all operands with the same scale and zero point. The i8 kernel starts every sum
/// with one rescaled minus zero point: a quirk that is reproduced.</para>
/// <para>Source: TFLite builtin 106, <c>reference/add_n.h</c> and <c>add_n.cc</c> of TFLite Micro, version 1; i32 exists in
/// LiteRT only, i8 in TFLite Micro only. It has no quantization rule, because the quirk makes sums wrong wherever the
/// operands have a zero point.</para>
/// </remarks>
public sealed record AddN : IOp<AddN>, IExecutable, IShrinkable, IDifferentiable, ITfLiteOp<AddN>
{
    private const int HeadroomBits = 20;

    public static OpSchema Declaration { get; } = new("add_n", ["x*"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.I32,
    };

    public static BuiltinOperator Code => BuiltinOperator.AddN;

    public static int MaximumVersion => 1;

    public static AddN Parse(AttributeReader attributes) => new();

    public static AddN Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1, new AddNOptions());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        if (operands.Count < 2)
        {
            throw new OpRuleException("a sum of tensors has too few operands") { Found = $"{operands.Count}", Expected = "2 or more" };
        }

        DType type = operands.RequireOneOf(0, Declaration.Kernels).DType;
        Shape shape = Shape.Unranked;
        for (int i = 0; i < operands.Count; i++)
        {
            shape = Dimensions.Agree(shape, operands.Require(i, type).Shape, "operands of a sum");
        }

        return [new(type, shape)];
    }

    public void Differentiate(GradientBuilder g)
    {
        for (int i = 0; i < g.InputCount; i++)
        {
            if (g.Wants(i))
            {
                g.Give(i, g.Gradient());
            }
        }
    }

    public void TraceChannels(ChannelTracer t) => ElementwiseChannels.Sum(t, keepsZero: true, c => c == 0);

    public Kernel Prepare(KernelContext context) => context.Input(0).DType switch
    {
        DType.F32 => () => Add<float>(context),
        DType.I32 => () => Add<int>(context),
        _ => PrepareInt8(context),
    };

    private static void Add<T>(KernelContext context)
        where T : unmanaged, INumber<T>
    {
        Span<T> y = context.Out<T>(0);
        y.Clear();
        for (int operand = 0; operand < context.InputCount; operand++)
        {
            ReadOnlySpan<T> x = context.In<T>(operand);
            for (int i = 0; i < x.Length; i++)
            {
                y[i] = unchecked(y[i] + x[i]);
            }
        }
    }

    private static Kernel PrepareInt8(KernelContext context)
    {
        (Grid x, Grid y) = (Grid.Of(context.Input(0)), Grid.Of(context.Output(0)));
        for (int operand = 1; operand < context.InputCount; operand++)
        {
            if (Grid.Of(context.Input(operand)) != x)
            {
                throw new OpRuleException("the operands of an integer sum must be quantized alike")
                {
                    Found = $"{context.Input(operand).Quant}",
                    Expected = $"{context.Input(0).Quant}",
                };
            }
        }

        double twice = 2.0 * x.Scale;
        FixedPoint toSum = Grid.FactorBelowOne(x.Scale / twice);
        FixedPoint toOutput = Grid.FactorBelowOne(twice / ((double)(1 << HeadroomBits) * y.Scale));
        int[] terms = new int[256];
        for (int q = sbyte.MinValue; q <= sbyte.MaxValue; q++)
        {
            terms[(byte)q] = toSum.Scale((q - x.ZeroPoint) << HeadroomBits);
        }

        int initial = toSum.Scale(-x.ZeroPoint << HeadroomBits);
        Scratch scratch = context.Reserve(sizeof(int) * context.Output(0).Shape.ElementCount);
        return () =>
        {
            Span<sbyte> results = context.Out<sbyte>(0);
            Span<int> sums = scratch.Span<int>()[..results.Length];
            sums.Fill(initial);
            for (int operand = 0; operand < context.InputCount; operand++)
            {
                ReadOnlySpan<byte> raw = context.InputBytes(operand);
                for (int i = 0; i < raw.Length; i++)
                {
                    sums[i] = unchecked(sums[i] + terms[raw[i]]);
                }
            }

            for (int i = 0; i < sums.Length; i++)
            {
                results[i] = FixedPoint.SaturateToInt8(unchecked(toOutput.Scale(sums[i]) + y.ZeroPoint));
            }
        };
    }
}
