using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Normalised exponentials along the last axis: <c>y = exp(beta * x) / sum of exp(beta * x)</c>.</summary>
/// <param name="Beta">Factor on the operand; positive for the integer kernels.</param>
/// <remarks>
/// <para>Shape: <c>x [.., D] -> y [.., D]</c>.</para>
/// <para>Types: f32; i8 to scale 1/256, zero point -128; i8 to i16 with scale 1/65536, zero point -32768; u8 to scale 1/256,
/// zero point 0; i16 to scale 1/32768, zero points 0. i8 gives i16 where the graph declares that result.</para>
/// <para>Source: TFLite builtin 25, <c>reference/softmax.h</c> and <c>softmax_common.cc</c> of TFLite Micro, versions 1 to
/// 3; u8 exists in LiteRT only.</para>
/// </remarks>
public sealed partial record Softmax(float Beta = 1) : IOp<Softmax>, IExecutable, IQuantizable, IDifferentiable, ITfLiteOp<Softmax>
{
    private const int ElementsPerChunk = 16384;

    public static OpSchema Declaration { get; } = new("softmax", ["x"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8 | KernelTypes.I16,
    };

    public static BuiltinOperator Code => BuiltinOperator.Softmax;

    public static int MaximumVersion => 3;

    public static Softmax Parse(AttributeReader attributes) => new(attributes.Float("beta"));

    public static Softmax Read(TfLiteSource source) => new(source.Options<SoftmaxOptions>().Beta);

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0].DType switch
        {
            DType.I16 => 3,
            DType.I8 => 2,
            _ => 1,
        },
        new SoftmaxOptions { Beta = Beta });

    public void Describe(AttributeWriter attributes) => attributes.Add("beta", Beta);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands.RequireOneOf(0, Declaration.Kernels);
        if (x.Shape is { HasRank: true, Rank: 0 })
        {
            throw new OpRuleException("a softmax needs an axis") { Found = x.Shape.ToString(), Expected = "1 dimension or more" };
        }

        bool widens = x.DType is DType.I8 && operands.Declared is [{ DType: DType.I16 }, ..];
        return [new(widens ? DType.I16 : x.DType, x.Shape)];
    }

    public QuantRule QuantRule(OpOperands operands) =>
        new([OperandRule.Activation], [OperandRule.FixedTo(1f / 256, -128, 1f / 32768)]);

    public void Differentiate(GradientBuilder g)
    {
        Value y = g.Output();
        Value mean = g.SumLast(g.Multiply(g.Gradient(), y));
        Value gradient = g.Multiply(y, g.Minus(g.Gradient(), mean));
        g.Give(0, Beta == 1 ? gradient : g.Multiply(gradient, Beta));
    }

    public Kernel Prepare(KernelContext context) => (context.Input(0).DType, context.Output(0).DType) switch
    {
        (DType.F32, DType.F32) => PrepareFloat(context),
        (DType.I8, DType.I8) => PrepareBytes(context, flip: 0x80, bits: 8, smallest: sbyte.MinValue),
        (DType.U8, DType.U8) => PrepareBytes(context, flip: 0, bits: 8, smallest: byte.MinValue),
        (DType.I8, DType.I16) => PrepareBytes(context, flip: 0x80, bits: 16, smallest: short.MinValue),
        (DType.I16, DType.I16) => PrepareInt16(context),
        var (x, y) => throw new OpRuleException("there is no softmax kernel for these types") { Found = $"{x.Name} to {y.Name}" },
    };

    private Kernel PrepareFloat(KernelContext context)
    {
        int depth = context.Input(0).Shape[-1];
        int length = checked((int)context.Input(0).ElementCount);
        if (length == 0)
        {
            return static () => { };
        }

        float beta = Beta;
        int chunk = Math.Max(1, ElementsPerChunk / depth) * depth;
        int chunks = (int)(((long)length + chunk - 1) / chunk);
        Action<int, int> body = (index, _) =>
        {
            int start = index * chunk;
            int size = Math.Min(chunk, length - start);
            FloatSoftmax.Rows(context.In<float>(0).Slice(start, size), context.Out<float>(0).Slice(start, size), depth, beta);
        };
        return () => context.Workers.Run(chunks, body);
    }
}
