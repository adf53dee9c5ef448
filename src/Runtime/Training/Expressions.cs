using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;

namespace Optc.Runtime.Training;

/// <summary>Writes f32 arithmetic into a graph under construction.</summary>
/// <param name="graph">Receives the nodes.</param>
/// <param name="name">Name of the nodes.</param>
public sealed class Expressions(GraphBuilder graph, string name)
{
    public GraphBuilder Graph => graph;

    public Expressions Named(string other) => new(graph, other);

    public Value Apply(IOp op, params ImmutableArray<Value?> operands) => graph.Add(op, operands, name).Outputs[0];

    public static Value Scalar(float value) => GraphBuilder.Constant(TensorData.Scalar(value), "");

    public static Value Ints(params ReadOnlySpan<int> values) => GraphBuilder.Constant(TensorData.FromInts([values.Length], values), "");

    public Value Add(Value a, Value b) => Apply(new Add(), a, b);

    public Value Subtract(Value a, Value b) => Apply(new Sub(), a, b);

    public Value Multiply(Value a, Value b) => Apply(new Mul(), a, b);

    public Value Multiply(Value a, float factor) => factor == 1 ? a : Apply(new Mul(), a, Scalar(factor));

    public Value Divide(Value a, Value b) => Apply(new Div(), a, b);

    public Value Square(Value a) => Apply(new Square(), a);

    public Value SquareRoot(Value a) => Apply(new Sqrt(), a);

    /// <summary><c>factor * a + (1 - factor) * b</c>.</summary>
    public Value Blend(float factor, Value a, Value b) => Add(Multiply(a, factor), Multiply(b, 1 - factor));

    /// <summary>Sum of all elements, shape [].</summary>
    public Value SumAll(Value a) => Apply(new Sum(KeepDims: false), a, Ints([.. Enumerable.Range(0, a.Type.Shape.Rank)]));

    /// <summary>Sum over all axes but the first: <c>a [N, ...] -> [N]</c>.</summary>
    public Value SumPerSample(Value a) => a.Type.Shape.Rank == 1
        ? a
        : Apply(new Sum(KeepDims: false), a, Ints([.. Enumerable.Range(1, a.Type.Shape.Rank - 1)]));

    public Value Reshape(Value a, Shape shape) => a.Type.Shape.Equals(shape) ? a : Apply(new Reshape(shape.Dims), a, Ints(shape.Dims.AsSpan()));

    /// <summary>Handle of a resource variable.</summary>
    public Value Handle(string variable) => graph.Add(new VarHandle("", variable), [], $"{variable}/handle").Output;

    /// <summary>Content of a resource variable.</summary>
    public Value Read(string variable, Shape shape)
    {
        Value handle = Handle(variable);
        return graph.Add(new ReadVariable(), [handle], [GraphBuilder.Result(variable, new(DType.F32, shape))], variable).Output;
    }

    /// <summary>Stores a value in a resource variable.</summary>
    public void Assign(string variable, Value value)
    {
        graph.Add(new AssignVariable(), [Handle(variable), value], $"{variable}/assign");
    }
}
