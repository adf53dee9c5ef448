using System.Security.Cryptography;
using Optc.Formats.TfLite;

namespace Optc.Certificates;

/// <summary>
/// Value numbering of channels: equal numbers mean equal values at every position for every input. Different numbers mean
/// nothing.
/// </summary>
internal sealed class ChannelNumbers(GraphView view, ValueFacts facts)
{
    private readonly Dictionary<(int Tensor, int Axis), int[]> _numbers = [];
    private readonly Dictionary<string, int> _known = [];
    private int _next;

    public bool Same(int tensor, int axis, int a, int b)
    {
        int[] numbers = Of(tensor, axis);
        return a != b && numbers[a] == numbers[b];
    }

    private int[] Of(int tensor, int axis)
    {
        if (_numbers.TryGetValue((tensor, axis), out int[]? known))
        {
            return known;
        }

        int[] numbers = new int[view.Tensor(tensor).Shape[axis]];
        for (int c = 0; c < numbers.Length; c++)
        {
            numbers[c] = _next++;
        }

        // Entered before the operands are asked, though a graph has no cycle.
        _numbers[(tensor, axis)] = numbers;
        int op = view.Writer(tensor);
        if (facts.Objection is null && facts[tensor] is { } bounds)
        {
            // Constants of one tensor are equal if their values are.
            for (int c = 0; c < numbers.Length; c++)
            {
                if (bounds.Constant(view.Tensor(tensor).Shape.AsSpan(), axis, c) is { } value)
                {
                    numbers[c] = Known(FormattableString.Invariant($"{tensor}={value}"), numbers[c]);
                }
            }
        }

        int[] constants = [.. numbers];
        if (op >= 0 && Quantization.Of(view.Tensor(tensor)) is not null && axis == view.Tensor(tensor).Shape.Length - 1 && view.Operators[op].Outputs.Length == 1)
        {
            Number(op, tensor, axis, numbers);
        }

        for (int c = 0; c < numbers.Length; c++)
        {
            // What is shown by its value must not lose to what is shown by its formula.
            numbers[c] = constants.Count(n => n == constants[c]) > 1 ? constants[c] : numbers[c];
        }

        return numbers;
    }

    private void Number(int op, int tensor, int axis, int[] numbers)
    {
        BuiltinOperator kind = view.Kind(op);
        switch (kind)
        {
            case BuiltinOperator.Conv2D or BuiltinOperator.DepthwiseConv2D or BuiltinOperator.FullyConnected:
                Linear(op, numbers);
                break;
            case BuiltinOperator.AveragePool2D or BuiltinOperator.MaxPool2D:
                Copy(Of(view.Operand(op, 0), axis), numbers, op);
                break;
            case BuiltinOperator.Relu or BuiltinOperator.Relu6 or BuiltinOperator.LeakyRelu or BuiltinOperator.HardSwish or BuiltinOperator.Logistic
                or BuiltinOperator.Tanh or BuiltinOperator.Quantize:
                Copy(Of(view.Operand(op, 0), axis), numbers, op);
                break;
            case BuiltinOperator.Pad when view.Integers(view.Operand(op, 1)) is { } amounts && amounts.Length == 2 * (axis + 1) && amounts[^1] == 0 && amounts[^2] == 0:
                Copy(Of(view.Operand(op, 0), axis), numbers, op);
                break;
            case BuiltinOperator.Add or BuiltinOperator.Mul when view.Operators[op].Inputs is [>= 0 and int a, >= 0 and int b]
                && view.IsActivation(a) && view.IsActivation(b)
                && view.Tensor(a).Shape.AsSpan().SequenceEqual(view.Tensor(tensor).Shape.AsSpan()) && view.Tensor(b).Shape.AsSpan().SequenceEqual(view.Tensor(tensor).Shape.AsSpan()):
                (int[] p, int[] q) = (Of(a, axis), Of(b, axis));
                for (int c = 0; c < numbers.Length; c++)
                {
                    numbers[c] = Known($"{op}:{p[c]},{q[c]}", numbers[c]);
                }

                break;
            default:
                break;
        }
    }

    /// <summary>Each channel is the same function of its own channel of the operand.</summary>
    private void Copy(int[] source, int[] numbers, int op)
    {
        for (int c = 0; c < numbers.Length && source.Length == numbers.Length; c++)
        {
            numbers[c] = Known($"{op}:{source[c]}", numbers[c]);
        }
    }

    /// <summary>Weights are summed over inputs of equal number, so that the order and splitting of equal channels does not count.</summary>
    private void Linear(int op, int[] numbers)
    {
        if (LinearLayer.Of(view, op) is not { Groups: 1 } layer || layer.Outputs != numbers.Length || view.Integers(layer.Weights) is not { } weights
            || Quantization.Of(view.Tensor(layer.Input)) is null || facts[layer.Output] is null)
        {
            return;
        }

        long[]? bias = layer.Bias < 0 ? new long[layer.Outputs] : view.WideIntegers(layer.Bias);
        int[] inputs = Of(layer.Input, view.Tensor(layer.Input).Shape.Length - 1);
        bool isFlattened = layer.Kind == BuiltinOperator.FullyConnected && inputs.Length != layer.Inputs;
        for (int o = 0; o < numbers.Length && bias?.Length == numbers.Length; o++)
        {
            if (layer.Factor(o) is not { } factor)
            {
                continue;
            }

            SortedDictionary<(int Tap, int Number), long> terms = [];
            for (int t = 0; t < layer.Taps; t++)
            {
                for (int i = 0; i < layer.Inputs; i++)
                {
                    int number = isFlattened ? -1 - i : inputs[layer.IsDepthwise ? o / layer.Multiplier : i];
                    long weight = weights[layer.Element(o, t, i)] - layer.WeightZero;
                    terms[(t, number)] = terms.GetValueOrDefault((t, number)) + weight;
                }
            }

            string text = string.Join(";", terms.Where(e => e.Value != 0).Select(e => FormattableString.Invariant($"{e.Key.Tap},{e.Key.Number}:{e.Value}")));
            string key = FormattableString.Invariant($"{op}:{bias[o]}:{factor.Q},{factor.E},{BitConverter.SingleToInt32Bits(factor.Real)}:{text}");
            numbers[o] = Known(Convert.ToHexString(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(key))), numbers[o]);
        }
    }

    private int Known(string key, int fresh) => _known.TryGetValue(key, out int number) ? number : _known[key] = fresh;
}
