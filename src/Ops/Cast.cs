using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels.Elementwise;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Numbers in another element type.</summary>
/// <param name="To">Element type of the result; <see langword="null"/>: as the graph declares it.</param>
/// <remarks>
/// <para>Shape: <c>x [any] -> y [same]</c>.</para>
/// <para>Types: between f32, f16, bf16, f64, bool and integers of 8 to 64 bits; i4 to f32 and back. Raw values are
/// converted, whatever the quantization. Floats are truncated towards zero and saturate, NaN becomes 0; integers wrap;
/// anything but 0 is true.</para>
/// <para>Source: TFLite builtin 53, <c>cast.cc</c> of TFLite Micro and LiteRT, versions 1 to 7. For floats out of range
/// the conversion is undefined there.</para>
/// </remarks>
public sealed record Cast(DType? To = null) : IOp<Cast>, IExecutable, IShrinkable, IDifferentiable, ITfLiteOp<Cast>
{
    public static OpSchema Declaration { get; } = new("cast", ["x"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.Cast;

    public static int MaximumVersion => 7;

    public static Cast Parse(AttributeReader attributes) => new(ResultType.Parse(attributes));

    public static Cast Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target)
    {
        (DType x, DType y) = (target.Operands[0].DType, target.Output().DType);
        int version = Has(DType.BF16) ? 7
            : x is DType.I4 && y is DType.F32 ? 6
            : Has(DType.F64) || Has(DType.F16) ? 5
            : Has(DType.U16) ? 4
            : Has(DType.I8) ? 3
            : Has(DType.U32) ? 2
            : 1;
        return new(version, new CastOptions { InDataType = TfLiteTypes.ToCode(x), OutDataType = TfLiteTypes.ToCode(y) });

        bool Has(DType type) => x == type || y == type;
    }

    public void Describe(AttributeWriter attributes) => ResultType.Describe(To, attributes);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands.Require(0, [.. NumberConversion.Types, DType.I4]);
        DType to = ResultType.Resolve(To, operands);
        bool known = x.DType is DType.I4 ? to is DType.F32 : NumberConversion.Types.Contains(to) || (to is DType.I4 && x.DType is DType.F32);
        return known
            ? [new(to, x.Shape)]
            : throw new OpRuleException($"{x.DType.Name} cannot be converted to this element type") { Found = to.Name, ConcernsElementType = true };
    }

    /// <summary>The gradient itself between floats, as if nothing was rounded; none from or to other types.</summary>
    public void Differentiate(GradientBuilder g)
    {
        if (g.Wants(0) && g.Output().Type.DType.IsFloat)
        {
            g.Give(0, g.Gradient());
        }
    }

    public void TraceChannels(ChannelTracer t) => t.PassOn();

    public Kernel Prepare(KernelContext context)
    {
        (DType from, DType to) = (context.Input(0).DType, context.Output(0).DType);
        int length = checked((int)context.Input(0).Shape.ElementCount);
        return from == to
            ? () => context.InputBytes(0).CopyTo(context.OutputBytes(0))
            : () => NumberConversion.Convert(from, context.InputBytes(0), to, context.OutputBytes(0), length);
    }
}
