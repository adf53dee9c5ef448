using System.Collections.Immutable;
using System.Globalization;

namespace Optc.Formats.TfLite;

/// <summary>Checks that the indices with which the tables of a model refer to each other exist.</summary>
internal static class ReferenceCheck
{
    private const long OptionalTensor = -1;
    private const long FirstTensor = 0;

    /// <exception cref="MalformedDataException">An index is out of range; the path names it.</exception>
    public static void Check(ModelRecord model)
    {
        for (int i = 0; i < model.Subgraphs.Length; i++)
        {
            Check(model, model.Subgraphs[i], string.Create(CultureInfo.InvariantCulture, $"Model.subgraphs[{i}]"));
        }

        for (int i = 0; i < model.Metadata.Length; i++)
        {
            Check(model.Metadata[i].Buffer, 0, model.Buffers.Length, "buffers", "Model.metadata", i, ".buffer");
        }

        for (int i = 0; i < model.SignatureDefs.Length; i++)
        {
            SignatureDefRecord signature = model.SignatureDefs[i];
            Check(
                signature.SubgraphIndex, 0, model.Subgraphs.Length, "subgraphs",
                "Model.signature_defs", i, ".subgraph_index");
            int tensors = model.Subgraphs[(int)signature.SubgraphIndex].Tensors.Length;
            string path = string.Create(CultureInfo.InvariantCulture, $"Model.signature_defs[{i}]");
            Check(signature.Inputs, tensors, path + ".inputs");
            Check(signature.Outputs, tensors, path + ".outputs");
        }
    }

    private static void Check(ModelRecord model, SubGraphRecord graph, string path)
    {
        for (int i = 0; i < graph.Tensors.Length; i++)
        {
            Check(graph.Tensors[i].Buffer, 0, model.Buffers.Length, "buffers", path + ".tensors", i, ".buffer");
        }

        Check(graph.Inputs, FirstTensor, graph.Tensors.Length, path + ".inputs");
        Check(graph.Outputs, FirstTensor, graph.Tensors.Length, path + ".outputs");
        for (int i = 0; i < graph.Operators.Length; i++)
        {
            OperatorRecord node = graph.Operators[i];
            Check(
                node.OpcodeIndex, 0, model.OperatorCodes.Length, "operator codes",
                path + ".operators", i, ".opcode_index");
            string owner = string.Create(CultureInfo.InvariantCulture, $"{path}.operators[{i}]");
            Check(node.Inputs, OptionalTensor, graph.Tensors.Length, owner + ".inputs");
            Check(node.Outputs, OptionalTensor, graph.Tensors.Length, owner + ".outputs");
            Check(node.Intermediates, OptionalTensor, graph.Tensors.Length, owner + ".intermediates");
        }
    }

    private static void Check(ImmutableArray<TensorMap> names, int tensors, string path)
    {
        for (int i = 0; i < names.Length; i++)
        {
            Check(names[i].TensorIndex, FirstTensor, tensors, "tensors", path, i, ".tensor_index");
        }
    }

    private static void Check(ImmutableArray<int> indices, long lowest, int tensors, string path)
    {
        for (int i = 0; i < indices.Length; i++)
        {
            Check(indices[i], lowest, tensors, "tensors", path, i, "");
        }
    }

    private static void Check(long index, long lowest, int count, string what, string path, int element, string field)
    {
        if (index < lowest || index >= count)
        {
            throw new MalformedDataException(
                -1,
                string.Create(CultureInfo.InvariantCulture, $"{path}[{element}]{field}"),
                string.Create(CultureInfo.InvariantCulture, $"index {index}"),
                string.Create(CultureInfo.InvariantCulture, $"{lowest} to {count - 1L}; there are {count} {what}"));
        }
    }
}
