using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>A handle to a resource variable that all graphs of a model share.</summary>
/// <param name="Container">Name space of the variable, often empty.</param>
/// <param name="SharedName">Name within the container; the same names give the same variable everywhere.</param>
/// <remarks>
/// <para>Shape: <c>-> handle []</c>, or whatever shape of one element the graph declares.</para>
/// <para>Types: resource. Source: TFLite builtin 142, <c>var_handle.cc</c> of TFLite Micro.</para>
/// </remarks>
public sealed record VarHandle(string Container, string SharedName) : IOp<VarHandle>, IExecutable, ITfLiteOp<VarHandle>
{
    public static OpSchema Declaration { get; } = new("var_handle", [], ["handle"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.VarHandle;

    public static int MaximumVersion => 1;

    public static VarHandle Parse(AttributeReader attributes) =>
        new(attributes.String("container"), attributes.String("shared_name"));

    public static VarHandle Read(TfLiteSource source)
    {
        VarHandleOptions options = source.Options<VarHandleOptions>();
        return new(options.Container ?? "", options.SharedName ?? "");
    }

    public TfLiteEncoding Write(TfLiteTarget target) =>
        new(1, new VarHandleOptions { Container = Container, SharedName = SharedName });

    public void Describe(AttributeWriter attributes) =>
        attributes.Add("container", Container).Add("shared_name", SharedName);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        Shape declared = operands.DeclaredShape(0);
        Shape shape = declared.HasRank && declared.Dims.All(d => d == 1) ? declared : Shape.Scalar;
        return [new(DType.Resource, shape)];
    }

    public Kernel Prepare(KernelContext context)
    {
        int handle = context.Resources.Handle(Container, SharedName);
        return () => context.Out<int>(0)[0] = handle;
    }
}
