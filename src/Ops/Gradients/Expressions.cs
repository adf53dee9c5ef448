using System.Collections.Immutable;
using Optc.Ir;

namespace Optc.Ops.Gradients;

/// <summary>Writes f32 arithmetic into a graph under construction.</summary>
/// <param name="graph">Receives the nodes.</param>
/// <param name="name">Name of the nodes.</param>
/// <param name="constants">Name of the constants.</param>
public class Expressions(GraphBuilder graph, string name, string constants = "")
{
    public GraphBuilder Graph => graph;

    public Expressions Named(string other) => new(graph, other);

    /// <summary>Adds an op and returns its first result.</summary>
    public Value Add(IOp op, params ImmutableArray<Value?> operands) => AddNode(op, operands).Outputs[0];

    /// <summary>Adds an op.</summary>
    public Node AddNode(IOp op, params ImmutableArray<Value?> operands) => graph.Add(op, operands, name);

    public Value Constant(TensorData data) => GraphBuilder.Constant(data, constants);

    public Value Scalar(float value) => Constant(TensorData.Scalar(value));

    public Value Ints(params ReadOnlySpan<int> values) => Constant(TensorData.FromInts([values.Length], values));

    public Value Zeros(Shape shape) => Constant(TensorData.FromFloats(shape, new float[checked((int)shape.ElementCount)]));

    public Value Plus(Value a, Value b) => Add(new Add(), a, b);

    public Value Minus(Value a, Value b) => Add(new Sub(), a, b);

    public Value Multiply(Value a, Value b) => Add(new Mul(), a, b);

    public Value Multiply(Value a, float factor) => factor == 1 ? a : Add(new Mul(), a, Scalar(factor));

    public Value Divide(Value a, Value b) => Add(new Div(), a, b);

    public Value Negative(Value a) => Add(new Neg(), a);

    public Value Square(Value a) => Add(new Square(), a);

    public Value SquareRoot(Value a) => Add(new Sqrt(), a);

    /// <summary><c>factor * a + (1 - factor) * b</c>.</summary>
    public Value Blend(float factor, Value a, Value b) => Plus(Multiply(a, factor), Multiply(b, 1 - factor));

    /// <summary>Sum of all elements, shape [].</summary>
    public Value SumAll(Value a) => Add(new Sum(KeepDims: false), a, Ints([.. Enumerable.Range(0, a.Type.Shape.Rank)]));

    /// <summary>Sum over all axes but the first: <c>a [N, ...] -> [N]</c>.</summary>
    public Value SumPerSample(Value a) => a.Type.Shape.Rank == 1
        ? a
        : Add(new Sum(KeepDims: false), a, Ints([.. Enumerable.Range(1, a.Type.Shape.Rank - 1)]));

    /// <summary>Sums over the last dimension, which stays with size 1.</summary>
    public Value SumLast(Value a) => Add(new Sum(KeepDims: true), a, Ints(a.Type.Shape.Rank - 1));

    /// <summary>The same elements under another shape.</summary>
    public Value Reshape(Value a, Shape shape) => a.Type.Shape.Equals(shape) ? a : Add(new Reshape(shape.Dims), a, Ints(shape.Dims.AsSpan()));

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
