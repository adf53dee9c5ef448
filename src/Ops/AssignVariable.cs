using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Copies a tensor into a resource variable.</summary>
/// <remarks>
/// <para>Shape: <c>handle [one element], value [any] -> </c> nothing. The first tensor assigned gives the variable its
/// size; another size later is an error at run time.</para>
/// <para>Types: any that have a fixed size. Source: TFLite builtin 144, <c>assign_variable.cc</c> of TFLite Micro.</para>
/// </remarks>
public sealed record AssignVariable : IOp<AssignVariable>, IExecutable, ITfLiteOp<AssignVariable>
{
    public static OpSchema Declaration { get; } = new("assign_variable", ["handle", "value"], [])
    {
        Kernels = KernelTypes.Any,
        HasSideEffects = true,
    };

    public static BuiltinOperator Code => BuiltinOperator.AssignVariable;

    public static int MaximumVersion => 1;

    public static AssignVariable Parse(AttributeReader attributes) => new();

    public static AssignVariable Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1, new AssignVariableOptions());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        operands.RequireHandle(0);
        operands.Require(1);
        return [];
    }

    public Kernel Prepare(KernelContext context)
    {
        TensorType value = context.Input(1).RequireFixedSize("a variable");
        return () =>
        {
            int handle = context.In<int>(0)[0];
            context.Resources.Declare(handle, value);
            ResourceTransfer.Copy(context.InputBytes(1), context.Resources.Content(handle));
        };
    }
}
