using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;

namespace Optc.Architectures;

/// <summary>
/// Gives a classifier a new last layer for other classes, for transfer learning:
/// <code>
///   softmax(dense(features, w, b))     dense or a 1x1 convolution on [N, 1, 1, C], with reshapes between
///   => softmax(dense(features, new w, 0))
/// </code>
/// </summary>
/// <remarks>
/// The new layers are <c>head/dense</c> and <c>head/softmax</c>; everything before them stays as it is. Training freezes the body by rate 0 for
/// <c>.*</c> and rate 1 for <c>^head/</c>. Weights begin with <see cref="Initializer.GlorotUniform"/>, the bias with zeros.
/// </remarks>
public static class HeadReplacement
{
    private const int MostClasses = 1 << 20;
    private const string Dense = "head/dense";
    private const string Softmax = "head/softmax";

    /// <summary>A copy of the model with a new head.</summary>
    /// <param name="classes">Number of classes, at least 2.</param>
    /// <param name="seed">Of the new weights.</param>
    /// <exception cref="DiagnosticException">
    /// The model has several outputs, does not end in a dense layer, or is not float there; or a number of classes that is no such number.
    /// </exception>
    public static Module Apply(Module module, int classes, ulong seed = 0)
    {
        if (classes is < 2 or > MostClasses)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, "a classifier cannot have this number of classes")
            {
                Found = FormattableString.Invariant($"{classes}"),
                Expected = $"2 to {MostClasses}",
            });
        }

        Module result = module.Clone();
        Graph graph = result.Main;
        if (graph.Outputs is not [var output])
        {
            throw Refused($"{graph.Outputs.Count} outputs", null);
        }

        Node last = FindDense(output, out string found) ?? throw Refused(found, output.Producer);
        Value features = last.Inputs[0]!;
        if (features.Type.DType is not DType.F32)
        {
            throw Refused($"{features.Type.DType.Name} features", last);
        }

        // Classes of the old head mean nothing any more, nor does what its files said of them.
        GraphPatch patch = new();
        Node Add(IOp op, ImmutableArray<Value?> inputs, string name, params ReadOnlySpan<QuantParams?> quant) => patch.AddNode(
            op, inputs, [(name, op.InferTypes(new([.. inputs.Select(v => v?.Type)], [.. inputs.Select(v => v?.Constant)], []))[0])], name);
        Value logits = LayerBuilder.Readout(Add, features, Dense, classes, seed);
        Value probabilities = Add(new Softmax(), [logits], Softmax).Output;
        patch.Replace(output, probabilities);
        patch.ApplyTo(result, graph, output.Producer!);
        Verifier.ThrowIfBroken(result);
        return result;
    }

    /// <summary>The last layer with weights, before softmax, sigmoid and what only changes the shape.</summary>
    private static Node? FindDense(Value output, out string found)
    {
        Node? node = output.Producer;
        while (node is { Op: Ops.Softmax or LogSoftmax or Logistic or Reshape or Squeeze })
        {
            node = node.Inputs[0]!.Producer;
        }

        found = node is null ? "an input" : $"{node.Op.Title} '{node.Name}'";
        return node switch
        {
            { Op: FullyConnected { Activation: FusedActivation.None } } => node,
            { Op: Conv2D { Activation: FusedActivation.None } } when IsDense(node) => node,
            _ => null,
        };
    }

    /// <summary>True for a convolution of a single position, which is a dense layer.</summary>
    private static bool IsDense(Node node) =>
        node.Inputs[0]!.Type.Shape is { Rank: 4 } x && x[1] == 1 && x[2] == 1
        && node.Inputs[1]!.Type.Shape is { Rank: 4 } w && w[1] == 1 && w[2] == 1;

    private static DiagnosticException Refused(string found, Node? at) => new(new Diagnostic(DiagnosticId.UnsupportedFeature, "the model has no head that could be replaced")
    {
        At = at is null ? [] : [$"{at}"],
        Found = found,
        Expected = "one float output, from a dense layer without activation, or with softmax or sigmoid behind it",
    });
}
