using System.Collections.Immutable;
using Optc.Formats.TfLite;

namespace Optc.Tests.Unit.Formats.TfLite;

/// <summary>Small models made in memory.</summary>
internal static class TestModels
{
    /// <summary>One subgraph with two tensors and the given operators, which all use operator code 0.</summary>
    public static ModelRecord WithOperators(params ImmutableArray<OperatorRecord> operators) => new()
    {
        OperatorCodes = [new() { BuiltinCode = BuiltinOperator.Custom, CustomCode = "any" }],
        Buffers = [new()],
        Subgraphs =
        [
            new()
            {
                Name = "main",
                Tensors = [new() { Name = "x", Shape = [1, 2] }, new() { Name = "y", Shape = [1, 2] }],
                Inputs = [0],
                Outputs = [1],
                Operators = operators,
            },
        ],
    };

    /// <summary>One operator for every options table, with random content.</summary>
    public static ModelRecord WithAllOptions(int seed)
    {
        RandomRecords records = new(seed);
        return WithOperators([.. RandomRecords.OptionTypes.Select(records.Create).Select(options => new OperatorRecord
        {
            Inputs = [0, -1],
            Outputs = [1],
            BuiltinOptions = options as IBuiltinOptions,
            BuiltinOptions2 = options as IBuiltinOptions2,
        })]);
    }

    /// <summary>Every table and every property of the schema, except operators' options.</summary>
    public static ModelRecord WithEverything(int seed)
    {
        RandomRecords records = new(seed);
        ModelRecord model = (ModelRecord)records.Create(typeof(ModelRecord));
        return model with
        {
            Metadata = [.. model.Metadata.Select(entry => entry with { Buffer = 0 })],
            SignatureDefs = [.. model.SignatureDefs.Select(signature => signature with
            {
                SubgraphIndex = 0,
                Inputs = [.. signature.Inputs.Select(name => name with { TensorIndex = 0 })],
                Outputs = [.. signature.Outputs.Select(name => name with { TensorIndex = 0 })],
            })],
            Subgraphs = [.. model.Subgraphs.Select(graph => graph with
            {
                Inputs = [0],
                Outputs = [0],
                Tensors = [.. graph.Tensors.Select(tensor => tensor with { Buffer = 0 })],
                Operators = [.. graph.Operators.Select(node => node with
                {
                    OpcodeIndex = 0,
                    Inputs = [0, -1],
                    Outputs = [0],
                    Intermediates = [0],
                })],
            })],
        };
    }
}
