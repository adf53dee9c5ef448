using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Copies a resource variable out.</summary>
/// <remarks>
/// <para>Shape: <c>handle [one element] -> value [declared]</c>: type and shape are those that the graph declares for the
/// result, since the handle does not know them.</para>
/// <para>A variable that nothing was assigned to yet has every byte equal to the low byte of the zero point, 0 without
/// quantization. Reading it as another number of bytes than was assigned is an error at run time.</para>
/// <para>Types: any that have a fixed size. Source: TFLite builtin 143, <c>read_variable.cc</c> of TFLite Micro.</para>
/// </remarks>
public sealed record ReadVariable : IOp<ReadVariable>, IExecutable, ITfLiteOp<ReadVariable>
{
    public static OpSchema Declaration { get; } = new("read_variable", ["handle"], ["value"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.ReadVariable;

    public static int MaximumVersion => 1;

    public static ReadVariable Parse(AttributeReader attributes) => new();

    public static ReadVariable Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1, new ReadVariableOptions());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        operands.RequireHandle(0);
        return operands.Declared is [TensorType declared, ..]
            ? [declared with { Quant = null }]
            : throw new OpRuleException("the type of a variable that is read must be declared") { Found = "no declared result" };
    }

    public Kernel Prepare(KernelContext context)
    {
        TensorType value = context.Output(0).RequireFixedSize("a variable");
        return () =>
        {
            int handle = context.In<int>(0)[0];
            context.Resources.Declare(handle, value);
            ResourceTransfer.Copy(context.Resources.Content(handle), context.OutputBytes(0));
        };
    }
}
