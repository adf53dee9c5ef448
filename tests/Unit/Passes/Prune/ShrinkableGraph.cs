using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;

namespace Optc.Tests.Unit.Passes.Prune;

/// <summary>Random convolutional networks with sums, concatenations, splits, gates and all that ties channels to each other.</summary>
internal sealed class ShrinkableGraph
{
    private readonly PassModel _model = new();
    private readonly Random _random;

    private ShrinkableGraph(int seed) => _random = new(seed);

    /// <summary>The same graph for the same seed.</summary>
    public static Module Make(int seed) => new ShrinkableGraph(seed).Make();

    private Module Make()
    {
        Value x = Convolution("stem", _model.Input("x", 1, 8, 7, 3), 6);
        int layers = _random.Next(4, 10);
        for (int i = 0; i < layers; i++)
        {
            x = Layer($"layer{i}", x);
        }

        Shape shape = x.Type.Shape;
        int size = shape[1] * shape[2] * shape[3];
        Value flat = _random.Next(3) switch
        {
            0 => x,
            1 => _model.Add("flat", new Reshape([-1, size]), x, PassModel.Ints("flat/shape", -1, size)),
            _ => _model.Add("flat", new Mean(KeepDims: false), x, PassModel.Ints("flat/axes", 1, 2)),
        };
        int columns = flat.Type.Shape.Rank == 2 ? flat.Type.Shape[1] : size;
        Value hidden = _model.Add("hidden", new FullyConnected(Activation()), flat, Numbers("hidden/w", 5, columns), Numbers("hidden/b", 5));
        return _model.Output(_model.Add("y", new FullyConnected(), hidden, Numbers("y/w", 3, 5))).Build();
    }

    private Value Layer(string name, Value x)
    {
        (int height, int width, int depth) = (x.Type.Shape[1], x.Type.Shape[2], x.Type.Shape[3]);
        switch (_random.Next(15))
        {
            case 0 or 1:
                return Convolution(name, x, _random.Next(2, 9));
            case 2:
                return _model.Add(name, new Add(Activation()), x, Convolution($"{name}/conv", x, depth));
            case 3:
                return _model.Add(name, new Concatenation(3), x, Convolution($"{name}/conv", x, _random.Next(1, 5)));
            case 4:
                int filters = _random.Next(1, 3);
                return _model.Add(
                    name,
                    new DepthwiseConv2D(1, 1, PaddingMode.Same, filters, Activation()),
                    x,
                    Numbers($"{name}/w", 1, 3, 3, depth * filters),
                    Numbers($"{name}/b", depth * filters));
            case 5:
                Value scaled = _model.Add($"{name}/scale", new Mul(), x, Numbers($"{name}/k", depth));
                return _model.Add(name, _random.Next(2) == 0 ? new Add(Activation()) : new Sub(Activation()), scaled, Numbers($"{name}/c", 1, 1, 1, depth));
            case 6:
                return _model.Add(name, new MaxPool2D(2, 2, 1, 1, PaddingMode.Same, Activation()), x);
            case 7:
                return _model.Add(name, new AveragePool2D(2, 2, 1, 1, PaddingMode.Same), x);
            case 8:
                Value even = depth % 2 == 0 ? x : Convolution($"{name}/conv", x, 4);
                Node parts = _model.AddNode($"{name}/split", new Split(2), PassModel.Ints($"{name}/axis", 3), even);
                return _model.Add(name, _random.Next(2) == 0 ? new Add() : new Concatenation(3), parts.Outputs[0], parts.Outputs[1]);
            case 9 when depth > 1:
                Node pieces = _model.AddNode($"{name}/split", new SplitV(2), x, PassModel.Ints($"{name}/sizes", 1, depth - 1), PassModel.Ints($"{name}/axis", -1));
                return _model.Add(name, new Concatenation(-1), pieces.Outputs[1], pieces.Outputs[0], pieces.Outputs[1]);
            case 10:
                Value gate = _model.Add($"{name}/mean", new Mean(KeepDims: true), x, PassModel.Ints($"{name}/axes", 1, 2));
                gate = Convolution($"{name}/squeeze", gate, 3);
                gate = _model.Add($"{name}/gate", new Logistic(), Convolution($"{name}/excite", gate, depth));
                return _model.Add(name, new Mul(), gate, x);
            case 11:
                Value wide = _model.Add($"{name}/pad", new Pad(), x, PassModel.Paddings($"{name}/p", 0, 0, 0, 0, 0, 0, _random.Next(2), _random.Next(3)));
                return _model.Add(name, new Add(), wide, Convolution($"{name}/conv", x, wide.Type.Shape[3]));
            case 12:
                return _model.Add(
                    name,
                    new TransposeConv(1, 1, PaddingMode.Same, Activation()),
                    PassModel.Ints($"{name}/s", 1, height, width, 4),
                    Numbers($"{name}/w", 4, 3, 3, depth),
                    x);
            case 13:
                Value turned = _model.Add($"{name}/turn", new Transpose(), x, PassModel.Ints($"{name}/p", 0, 3, 1, 2));
                turned = _model.Add($"{name}/act", new Tanh(), _model.Add($"{name}/line", new Reshape([1, depth, height * width]), turned));
                turned = _model.Add($"{name}/square", new Reshape([1, depth, height, width]), turned);
                return _model.Add(name, new Transpose(), turned, PassModel.Ints($"{name}/q", 0, 2, 3, 1));
            default:
                return _model.Add(name, _random.Next(4) switch { 0 => new Prelu(), _ => new Maximum() }, x, Numbers($"{name}/a", depth));
        }
    }

    private Value Convolution(string name, Value x, int outputs)
    {
        int kernel = _random.Next(1, 3);
        Value w = Numbers($"{name}/w", outputs, kernel, kernel, x.Type.Shape[3]);
        Conv2D op = new(1, 1, PaddingMode.Same, Activation());
        return _random.Next(2) == 0 ? _model.Add(name, op, x, w) : _model.Add(name, op, x, w, Numbers($"{name}/b", outputs));
    }

    private Value Numbers(string name, params ReadOnlySpan<int> shape) => PassModel.Random(name, _random.Next(), shape);

    private FusedActivation Activation() => (FusedActivation)_random.Next(0, 4);
}
