using System.Numerics;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels.Elementwise;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>The larger of two operands, element by element; the second one where either is NaN.</summary>
/// <inheritdoc cref="BinaryElementwise{TSelf}" path="/remarks"/>
/// <remarks>
/// <para>Types: f32, i32, i64; i8, u8, i16 by their raw values, so that operands and result are quantized alike.</para>
/// <para>Source: TFLite builtin 55, <c>reference/maximum_minimum.h</c>, versions 1 to 4; u8 exists in LiteRT only.</para>
/// <para>Gradient: of equal operands the first one gets it.</para>
/// </remarks>
public sealed record Maximum : BinaryElementwise<Maximum>, IOp<Maximum>, IQuantizable, IDifferentiable, ITfLiteOp<Maximum>
{
    public static OpSchema Declaration { get; } = new("maximum", ["a", "b"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8 | KernelTypes.I16 | KernelTypes.I32 | KernelTypes.I64,
    };

    public static BuiltinOperator Code => BuiltinOperator.Maximum;

    public static int MaximumVersion => 4;

    public static Maximum Parse(AttributeReader attributes) => new();

    public static Maximum Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target)
    {
        DType type = target.Operands[0].DType;
        int version = type is DType.I16 ? 4
            : Broadcasting.IsBeyondFourDimensions(target.Operands) ? 3
            : type is DType.I8 ? 2
            : 1;
        return new(version, new MaximumMinimumOptions());
    }

    public QuantRule QuantRule(OpOperands operands) =>
        new([OperandRule.Activation, OperandRule.SameAsInput(0)], [OperandRule.SameAsInput(0)]);

    public void Differentiate(GradientBuilder g) =>
        g.GiveChosen(g.Add(new GreaterEqual(), g.Input(0), g.Input(1)), 0, 1);

    public override Kernel Prepare(KernelContext context)
    {
        context.RequireSameQuantization(0);
        context.RequireSameQuantization(1);
        return context.Input(0).DType switch
        {
            DType.F32 => Plain<float>(context),
            DType.I8 => Plain<sbyte>(context),
            DType.U8 => Plain<byte>(context),
            DType.I16 => Plain<short>(context),
            DType.I32 => Plain<int>(context),
            DType.I64 => Plain<long>(context),
            _ => throw NoKernel(context),
        };
    }

    private static Kernel Plain<T>(KernelContext context)
        where T : unmanaged, INumber<T> => Broadcasting.Plain<T, LargerOf<T>>(context, default);
}
