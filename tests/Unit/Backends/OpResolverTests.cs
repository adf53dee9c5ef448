using Optc.Backends.TfLiteMicro;
using Optc.Ir;
using Optc.Ops;
using Xunit;

namespace Optc.Tests.Unit.Backends;

public sealed class OpResolverTests
{
    [Fact]
    public void Names_each_operator_once_in_order_of_first_use()
    {
        OpResolver resolver = OpResolver.Of(Chain(new LeakyRelu(0.1f), new Reshape([2, 2]), new LeakyRelu(0.2f)));

        Assert.Equal<string>(["AddLeakyRelu", "AddReshape"], resolver.Methods);
        Assert.Empty(resolver.Missing);
        Assert.Contains("static tflite::MicroMutableOpResolver<2> resolver;\nresolver.AddLeakyRelu();\n", resolver.ToCode(2048), StringComparison.Ordinal);
        Assert.Contains("constexpr int kTensorArenaSize = 2048;", resolver.ToCode(2048), StringComparison.Ordinal);
    }

    [Fact]
    public void Lists_what_the_runtime_has_no_kernel_for()
    {
        OpResolver resolver = OpResolver.Of(Chain(new Gelu(Approximate: false)));

        Assert.Equal<string>(["Gelu"], resolver.Missing);
        Assert.Contains("// TFLite Micro has no kernel for Gelu.", resolver.ToCode(16), StringComparison.Ordinal);
    }

    private static Module Chain(params IOp[] ops)
    {
        GraphBuilder builder = new("main");
        Value value = builder.Input("x", new(DType.F32, [4]));
        foreach (IOp op in ops)
        {
            value = builder.Add(op, [value], "y").Output;
        }

        builder.Output(value);
        return GraphBuilder.Module([builder.Build()]);
    }
}
