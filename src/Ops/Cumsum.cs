using System.Collections.Immutable;
using System.Numerics;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Running sum along an axis.</summary>
/// <param name="Exclusive">True when an element does not count for its own sum.</param>
/// <param name="Reverse">True when the sum runs from the end of the axis to its start.</param>
/// <remarks>
/// <para>Shape: <c>x [any], axis [] -> y [same]</c>; a negative axis counts from the end.</para>
/// <para>Types: f32; i32 and i64, wrapping; i8 with one scale and zero point per tensor.</para>
/// <para>Source: TFLite builtin 128, <c>cumsum.cc</c> of TFLite Micro, version 1; i32 and i64 exist in LiteRT only. The i8
/// kernel starts every sum with one rescaled minus zero point: a quirk that is reproduced.</para>
/// </remarks>
public sealed record Cumsum(bool Exclusive, bool Reverse) : IOp<Cumsum>, IExecutable, IQuantizable, IDifferentiable, ITfLiteOp<Cumsum>
{
    private const int HeadroomBits = 20;

    public static OpSchema Declaration { get; } = new("cumsum", ["x", "axis"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.I32 | KernelTypes.I64,
    };

    public static BuiltinOperator Code => BuiltinOperator.Cumsum;

    public static int MaximumVersion => 1;

    public static Cumsum Parse(AttributeReader attributes) => new(attributes.Bool("exclusive"), attributes.Bool("reverse"));

    public static Cumsum Read(TfLiteSource source)
    {
        CumsumOptions options = source.Options<CumsumOptions>();
        return new(options.Exclusive, options.Reverse);
    }

    public TfLiteEncoding Write(TfLiteTarget target) => new(1, new CumsumOptions { Exclusive = Exclusive, Reverse = Reverse });

    public void Describe(AttributeWriter attributes) => attributes.Add("exclusive", Exclusive).Add("reverse", Reverse);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands.RequireOneOf(0, Declaration.Kernels);
        if (operands.SingleInt(1) is { } axis && x.Shape.HasRank)
        {
            OperandTypes.Axis(axis, x.Shape.Rank);
        }

        return [x with { Quant = null }];
    }

    public QuantRule QuantRule(OpOperands operands) =>
        new([OperandRule.Activation, OperandRule.AsIs], [OperandRule.Activation]) { Activations = KernelTypes.I8 };

    public void Differentiate(GradientBuilder g) =>
        g.Give(0, g.Add(new Cumsum(Exclusive, !Reverse), g.Gradient(), g.Input(1)));

    public Kernel Prepare(KernelContext context)
    {
        AxisSplit split = AxisSplit.Of(context.Input(0).Shape, context.ConstantInts(1)[0]);
        return context.Input(0).DType switch
        {
            DType.F32 => () => Accumulate(context.In<float>(0), context.Out<float>(0), split),
            DType.I32 => () => Accumulate(context.In<int>(0), context.Out<int>(0), split),
            DType.I64 => () => Accumulate(context.In<long>(0), context.Out<long>(0), split),
            _ => PrepareInt8(context, split),
        };
    }

    private void Accumulate<T>(ReadOnlySpan<T> x, Span<T> y, AxisSplit split)
        where T : unmanaged, INumber<T>
    {
        foreach (AxisLine line in split.Lines(Reverse))
        {
            T sum = T.Zero;
            for (int i = 0, at = line.Start; i < line.Length; i++, at += line.Step)
            {
                T next = unchecked(sum + x[at]);
                y[at] = Exclusive ? sum : next;
                sum = next;
            }
        }
    }

    private Kernel PrepareInt8(KernelContext context, AxisSplit split)
    {
        (Grid x, Grid y) = (Grid.Of(context.Input(0)), Grid.Of(context.Output(0)));
        double twice = 2.0 * x.Scale;
        FixedPoint toSum = Grid.FactorBelowOne(x.Scale / twice);
        FixedPoint toOutput = Grid.FactorBelowOne(twice / ((double)(1 << HeadroomBits) * y.Scale));
        int initial = toSum.Scale(-x.ZeroPoint << HeadroomBits);
        return () =>
        {
            ReadOnlySpan<sbyte> values = context.In<sbyte>(0);
            Span<sbyte> results = context.Out<sbyte>(0);
            foreach (AxisLine line in split.Lines(Reverse))
            {
                int sum = initial;
                for (int i = 0, at = line.Start; i < line.Length; i++, at += line.Step)
                {
                    int next = unchecked(sum + toSum.Scale((values[at] - x.ZeroPoint) << HeadroomBits));
                    results[at] = FixedPoint.SaturateToInt8(unchecked(toOutput.Scale(Exclusive ? sum : next) + y.ZeroPoint));
                    sum = next;
                }
            }
        };
    }
}
