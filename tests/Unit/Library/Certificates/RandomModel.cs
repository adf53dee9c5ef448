using Optc.Formats.TfLite;

namespace Optc.Tests.Unit.Library.Certificates;

/// <summary>Small random networks of 8-bit integers with rows, columns and biases planted that make channels superfluous.</summary>
internal sealed class RandomModel
{
    private readonly Random _random;
    private readonly RecordModel _model = new();
    private int _names;

    private RandomModel(int seed) => _random = new(seed);

    /// <param name="isTiny">One input number, so that all inputs can be tried.</param>
    public static byte[] File(int seed, bool isTiny) => new RandomModel(seed).Make(isTiny);

    private byte[] Make(bool isTiny)
    {
        int side = isTiny ? 1 : _random.Next(1, 6);
        Map x = Activation(1, side, side, isTiny ? 1 : _random.Next(1, 4));
        int input = x.Tensor;
        for (int n = _random.Next(2, 6); n > 0; n--)
        {
            x = Layer(x);
        }

        return _model.File([input], Tail(x));
    }

    private Map Layer(Map x) => _random.Next(11) switch
    {
        0 or 1 or 2 => Convolution(x, _random.Next(1, 7)),
        3 or 4 => Depthwise(x),
        5 => Binary(BuiltinOperator.Add, x, Convolution(x, x.Channels, 1, Padding.Same, 1), new AddOptions { FusedActivationFunction = Act() }),
        6 => Binary(BuiltinOperator.Mul, x, Convolution(x, x.Channels, 1, Padding.Same, 1), new MulOptions()),
        7 => Pool(x),
        8 => Padded(x),
        9 => Requantized(x),
        _ => Concatenation(x, Convolution(x, _random.Next(1, 5), 1, Padding.Same, 1, x)),
    };

    private int Tail(Map x)
    {
        if (_random.Next(2) == 0)
        {
            int mean = _model.Activation(Name("mean"), [1, x.Channels], x.Scale, x.Zero);
            _model.Operator(BuiltinOperator.Mean, [x.Tensor, _model.Numbers(Name("axes"), 1, 2)], mean, new ReducerOptions());
            return Dense(mean, x.Channels, x.Scale);
        }

        int columns = x.Height * x.Width * x.Channels;
        int flat = _model.Activation(Name("flat"), [1, columns], x.Scale, x.Zero);
        _model.Operator(BuiltinOperator.Reshape, [x.Tensor, _model.Numbers(Name("shape"), 1, columns)], flat, new ReshapeOptions { NewShape = [1, columns] });
        return Dense(flat, columns, x.Scale);
    }

    private int Dense(int input, int columns, float scale)
    {
        for (int layers = _random.Next(1, 3); layers > 0; layers--)
        {
            int rows = _random.Next(2, 6);
            float s = 0.003f + (0.01f * _random.NextSingle()), next = Scale();
            int output = _model.Activation(Name("dense"), [1, rows], next, layers > 1 ? -128 : _random.Next(-128, 128));
            _model.Operator(BuiltinOperator.FullyConnected, [
                input, _model.Weights(Name("w"), [rows, columns], Kernel(rows, 1, columns), [s]), _model.Bias(Name("b"), Biases(rows), [scale * s])],
                output, new FullyConnectedOptions { FusedActivationFunction = layers > 1 ? ActivationFunctionType.Relu : ActivationFunctionType.None });
            (input, columns, scale) = (output, rows, next);
        }

        return input;
    }

    private Map Convolution(Map x, int outputs) => Convolution(x, outputs, _random.Next(2) == 0 ? 1 : Math.Min(3, Math.Min(x.Height, x.Width)), (Padding)_random.Next(2), _random.Next(1, 3));

    private Map Convolution(Map x, int outputs, int kernel, Padding padding, int stride, Map? like = null)
    {
        (int height, int width) = (Size(x.Height, kernel, stride, padding), Size(x.Width, kernel, stride, padding));
        Map y = Activation(1, height, width, outputs, like);
        float[] scales = [.. Enumerable.Range(0, outputs).Select(_ => 0.003f + (0.01f * _random.NextSingle()))];
        int[] operands = [
            x.Tensor,
            _model.Weights(Name("w"), [outputs, kernel, kernel, x.Channels], Kernel(outputs, kernel * kernel, x.Channels), scales),
            .. _random.Next(8) == 0 ? (int[])[] : [_model.Bias(Name("b"), Biases(outputs), [.. scales.Select(s => x.Scale * s)])]];
        _model.Operator(BuiltinOperator.Conv2D, operands, y.Tensor, new Conv2DOptions { Padding = padding, StrideH = stride, StrideW = stride, FusedActivationFunction = Act() });
        return y;
    }

    private Map Depthwise(Map x)
    {
        int multiplier = _random.Next(3) == 0 ? 2 : 1, outputs = x.Channels * multiplier;
        int kernel = Math.Min(_random.Next(1, 4), Math.Min(x.Height, x.Width));
        Map y = Activation(1, x.Height, x.Width, outputs);
        float[] scales = [.. Enumerable.Range(0, outputs).Select(_ => 0.003f + (0.01f * _random.NextSingle()))];
        sbyte[] weights = [.. Enumerable.Range(0, kernel * kernel * outputs).Select(_ => (sbyte)_random.Next(-127, 128))];
        for (int o = 0; o < outputs; o++)
        {
            if (_random.Next(4) == 0)
            {
                for (int t = 0; t < kernel * kernel; t++)
                {
                    weights[(t * outputs) + o] = 0;
                }
            }
        }

        _model.Operator(BuiltinOperator.DepthwiseConv2D, [
            x.Tensor, _model.Weights(Name("w"), [1, kernel, kernel, outputs], weights, scales, 3), _model.Bias(Name("b"), Biases(outputs), [.. scales.Select(s => x.Scale * s)])],
            y.Tensor, new DepthwiseConv2DOptions { Padding = Padding.Same, StrideH = 1, StrideW = 1, DepthMultiplier = multiplier, FusedActivationFunction = Act() });
        return y;
    }

    private Map Binary(BuiltinOperator kind, Map a, Map b, IBuiltinOptions options)
    {
        Map y = Activation(1, a.Height, a.Width, a.Channels);
        _model.Operator(kind, [a.Tensor, b.Tensor], y.Tensor, options);
        return y;
    }

    private Map Pool(Map x)
    {
        int size = Math.Min(2, Math.Min(x.Height, x.Width));
        Padding padding = (Padding)_random.Next(2);
        Map y = Activation(1, Size(x.Height, size, size, padding), Size(x.Width, size, size, padding), x.Channels, x);
        _model.Operator(_random.Next(2) == 0 ? BuiltinOperator.AveragePool2D : BuiltinOperator.MaxPool2D, [x.Tensor], y.Tensor,
            new Pool2DOptions { Padding = padding, StrideH = size, StrideW = size, FilterHeight = size, FilterWidth = size });
        return y;
    }

    /// <summary>PAD in front of a VALID convolution, as SAME would pad or otherwise.</summary>
    private Map Padded(Map x)
    {
        int before = _random.Next(2), after = _random.Next(2);
        Map y = Activation(1, x.Height + before + after, x.Width + before + after, x.Channels, x);
        int[] amounts = [0, 0, before, after, before, after, 0, 0];
        _model.Operator(BuiltinOperator.Pad, [x.Tensor, _model.Numbers(Name("pads"), [4, 2], amounts)], y.Tensor, new PadOptions());
        return Convolution(y, _random.Next(1, 6), Math.Min(_random.Next(1, 4), Math.Min(y.Height, y.Width)), Padding.Valid, _random.Next(1, 3));
    }

    private Map Requantized(Map x)
    {
        Map y = Activation(1, x.Height, x.Width, x.Channels, _random.Next(2) == 0 ? x : null);
        _model.Operator(BuiltinOperator.Quantize, [x.Tensor], y.Tensor, new QuantizeOptions());
        return y;
    }

    private Map Concatenation(Map a, Map b)
    {
        Map y = Activation(1, a.Height, a.Width, a.Channels + b.Channels, a);
        _model.Operator(BuiltinOperator.Concatenation, [a.Tensor, b.Tensor], y.Tensor, new ConcatenationOptions { Axis = _random.Next(2) == 0 ? 3 : -1 });
        return y;
    }

    /// <summary>Rows that are zero or repeat another one, columns that nobody reads.</summary>
    private sbyte[] Kernel(int outputs, int taps, int inputs)
    {
        sbyte[] weights = [.. Enumerable.Range(0, outputs * taps * inputs).Select(_ => (sbyte)_random.Next(-127, 128))];
        int row = taps * inputs;
        for (int o = 0; o < outputs; o++)
        {
            switch (_random.Next(8))
            {
                case 0 or 1:
                    Array.Clear(weights, o * row, row);
                    break;
                case 2 when o > 0:
                    Array.Copy(weights, (o - 1) * row, weights, o * row, row);
                    break;
                default:
                    break;
            }
        }

        for (int i = 0; i < inputs; i++)
        {
            if (_random.Next(4) == 0)
            {
                for (int t = i; t < weights.Length; t += inputs)
                {
                    weights[t] = 0;
                }
            }
        }

        return weights;
    }

    private int[] Biases(int count)
    {
        int[] biases = [.. Enumerable.Range(0, count).Select(_ => _random.Next(6) switch
        {
            0 => 0,
            1 => _random.Next(1 << 20),
            2 => -_random.Next(1 << 20),
            3 => _random.Next(2) == 0 ? 1 << 30 : -(1 << 30),
            _ => _random.Next(-3000, 3000),
        })];
        return _random.Next(3) == 0 && count > 1 ? [biases[0], biases[0], .. biases[2..]] : biases;
    }

    private Map Activation(int batch, int height, int width, int channels, Map? like = null)
    {
        (float scale, int zero) = like is null ? (Scale(), _random.Next(3) == 0 ? _random.Next(-128, 128) : -128) : (like.Scale, like.Zero);
        return new(_model.Activation(Name("value"), [batch, height, width, channels], scale, zero), height, width, channels, scale, zero);
    }

    private static int Size(int size, int kernel, int stride, Padding padding) => padding == Padding.Same ? (size + stride - 1) / stride : (size + stride - kernel) / stride;

    private float Scale() => 0.02f + (0.05f * _random.NextSingle());

    private ActivationFunctionType Act() => (ActivationFunctionType)(_random.Next(3) switch { 0 => 0, 1 => 1, _ => 3 });

    private string Name(string kind) => FormattableString.Invariant($"{kind}{_names++}");

    private sealed record Map(int Tensor, int Height, int Width, int Channels, float Scale, int Zero);
}
