using Optc.Backends.TfLite;
using Optc.Formats.TfLite;
using Optc.Frontend;
using Optc.Ir;
using Optc.Ops;
using Xunit;

namespace Optc.Tests.Unit.Backends;

public sealed class TfLiteBackendTests
{
    [Fact]
    public void Stores_equal_constants_once_and_aligns_them_to_16()
    {
        byte[] file = TfLiteBackend.ToArray(TwoDenseLayersWithEqualWeights());

        ModelRecord model = TfLiteFile.Read(file);
        BufferRecord weights = Assert.Single(model.Buffers, b => b.Data.Length == 64);
        Assert.Equal(0, file.AsSpan().IndexOf(weights.Data.Span) % 16);
        Assert.True(model.Buffers[0].Data.IsEmpty);
    }

    [Fact]
    public void Gives_the_same_bytes_for_the_same_graph()
    {
        byte[] first = TfLiteBackend.ToArray(TwoDenseLayersWithEqualWeights());

        Assert.Equal(first, TfLiteBackend.ToArray(TwoDenseLayersWithEqualWeights()));
        Assert.Equal(first, TfLiteBackend.ToArray(FrontendSet.Read(first, "again")));
    }

    [Fact]
    public void Writes_one_code_for_each_operator_with_the_largest_version_needed()
    {
        ModelRecord model = TfLiteFile.Read(TfLiteBackend.ToArray(TwoDenseLayersWithEqualWeights()));

        OperatorCodeRecord code = Assert.Single(model.OperatorCodes);
        Assert.Equal(BuiltinOperator.FullyConnected, code.BuiltinCode);
        Assert.Equal(6, code.Version);
        Assert.Equal("2.1.0", RuntimeVersions.Minimum(model.OperatorCodes));
        Assert.Empty(model.Metadata);
    }

    [Fact]
    public void Keeps_unknown_dimensions_as_a_signature_of_the_shape()
    {
        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, [-1, 4]));
        builder.Output(builder.Add(new LeakyRelu(0.5f), [x], "y").Output);

        byte[] file = TfLiteBackend.ToArray(GraphBuilder.Module([builder.Build()]));

        TensorRecord tensor = TfLiteFile.Read(file).Subgraphs[0].Tensors[0];
        Assert.Equal<int>([1, 4], tensor.Shape);
        Assert.Equal<int>([-1, 4], tensor.ShapeSignature);
        Assert.Equal<int>([-1, 4], FrontendSet.Read(file, "again").Main.Inputs[0].Type.Shape);
    }

    [Fact]
    public void Lists_every_op_that_the_format_does_not_have()
    {
        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, [4]));
        Value opaque = builder.Add(new OpaqueTfLite(BuiltinOperator.Custom, "Mine", 1), [x], [GraphBuilder.Result("y", x.Type)], "first").Output;
        builder.Output(builder.Add(new OpaqueTfLite(BuiltinOperator.Custom, "Yours", 1), [opaque], [GraphBuilder.Result("z", x.Type)], "second").Output);

        DiagnosticException problem = Assert.Throws<DiagnosticException>(() => TfLiteBackend.ToArray(GraphBuilder.Module([builder.Build()])));

        Assert.Equal(2, problem.Diagnostics.Length);
    }

    private static Module TwoDenseLayersWithEqualWeights()
    {
        float[] weights = [.. Enumerable.Range(0, 16).Select(i => i * 0.25f)];
        GraphBuilder builder = new("main");
        Value value = builder.Input("x", new(DType.F32, [1, 4]));
        foreach (string name in (string[])["first", "second"])
        {
            Value w = GraphBuilder.Constant(TensorData.FromFloats([4, 4], weights), $"{name}/w");
            value = builder.Add(new FullyConnected(), [value, w], name).Output;
        }

        builder.Output(value);
        return GraphBuilder.Module([builder.Build()]);
    }
}
