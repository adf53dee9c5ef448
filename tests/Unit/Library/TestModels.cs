using Optc.Ir;
using Optc.Ops;

namespace Optc.Tests.Unit.Library;

/// <summary>Modules of one op whose results can be told by looking.</summary>
internal static class TestModels
{
    /// <summary><c>y = x * factor</c> on x [1, width].</summary>
    public static Module Scaled(float factor, string input, int width)
    {
        GraphBuilder builder = new("main");
        Value x = builder.Input(input, new(DType.F32, [1, width]));
        Value k = GraphBuilder.Constant(TensorData.FromFloats([1], [factor]), "k");
        builder.Output(builder.Add(new Mul(), [x, k], "y").Output);
        return GraphBuilder.Module([builder.Build()]);
    }

    /// <summary><c>y = a - b</c> on [1, 1].</summary>
    public static Module Difference()
    {
        GraphBuilder builder = new("main");
        Value a = builder.Input("a", new(DType.F32, [1, 1]));
        Value b = builder.Input("b", new(DType.F32, [1, 1]));
        builder.Output(builder.Add(new Sub(), [a, b], "y").Output);
        return GraphBuilder.Module([builder.Build()]);
    }

    /// <summary>An i8 tensor [1, width] turned into f32 with scale 0.5 and zero point 3.</summary>
    public static Module Dequantized(int width)
    {
        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.I8, [1, width], new(0.5f, 3)));
        builder.Output(builder.Add(new Dequantize(), [x], [GraphBuilder.Result("y", new(DType.F32, [1, width]))], "y").Output);
        return GraphBuilder.Module([builder.Build()]);
    }
}
