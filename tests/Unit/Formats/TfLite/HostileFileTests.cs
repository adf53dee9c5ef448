using System.Buffers.Binary;
using Optc.Formats;
using Optc.Formats.FlatBuffers;
using Optc.Formats.TfLite;
using Xunit;

namespace Optc.Tests.Unit.Formats.TfLite;

/// <summary>Files that are made to cost much, or that only a newer or foreign program could have written.</summary>
public sealed class HostileFileTests
{
    [Fact]
    public void Subgraphs_that_repeat_one_table_do_not_multiply()
    {
        FlatBufferWriter writer = new(shareEqual: false);
        FlatOffset node = writer.FinishTable();
        FlatOffset nodes = writer.TableVector([.. Enumerable.Repeat(node, 20_000)], (_, written) => written);
        writer.Add(3, nodes);
        FlatOffset graph = writer.FinishTable();
        FlatOffset graphs = writer.TableVector([.. Enumerable.Repeat(graph, 20_000)], (_, written) => written);
        writer.Add(0, 3u);
        writer.Add(2, graphs);
        byte[] file = writer.Finish(writer.FinishTable(), "TFL3").ToArray();

        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<MalformedDataException>(() => TfLiteFile.Read(file));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200L * file.Length);
    }

    /// <summary>Two billion paths lead to the last table of a chain in which each table names the next one twice; it is read once.</summary>
    [Fact]
    public void Tables_with_many_paths_are_read_once()
    {
        const int Levels = 31;
        FlatBufferWriter writer = new(shareEqual: true);
        FlatOffset next = writer.FinishTable();
        for (int i = 0; i < Levels; i++)
        {
            writer.Add(0, next);
            writer.Add(1, next);
            writer.Add(2, i + 1);
            next = writer.FinishTable();
        }

        byte[] file = writer.Finish(next, "TEST").ToArray();
        int read = 0;

        new FlatBufferReader(file).ReadRoot("Root", "TEST", Read);

        Assert.Equal(Levels + 1, read);

        object Read(FlatTable table)
        {
            read++;
            return (table.Table(0, "a", Read), table.Table(1, "b", Read), table.Scalar<int>(2, "c"));
        }
    }

    [Fact]
    public void Vectors_that_overlap_do_not_multiply()
    {
        const int Count = 10_000;
        FlatBufferWriter writer = new(shareEqual: false);
        FlatOffset lengths = writer.Vector<int>([.. Enumerable.Repeat(Count, 3 * Count)]);
        FlatOffset buffers = writer.TableVector([.. Enumerable.Range(0, Count)], (writer, i) =>
        {
            writer.Add(0, new FlatOffset(lengths.FromEnd - 4 - (4 * i)));
            return writer.FinishTable();
        });
        writer.Add(0, 3u);
        writer.Add(4, buffers);
        byte[] file = writer.Finish(writer.FinishTable(), "TFL3").ToArray();

        MalformedDataException error = Assert.Throws<MalformedDataException>(() => TfLiteFile.Read(file));

        Assert.Contains("more vectors than a file of", error.Found, StringComparison.Ordinal);
    }

    [Fact]
    public void A_vector_longer_than_the_file_is_refused_before_memory_is_taken()
    {
        byte[] file = TfLiteFile.ToArray(new ModelRecord { MetadataBuffer = [11, 22, 33] });
        int place = file.AsSpan().IndexOf((ReadOnlySpan<byte>)[3, 0, 0, 0, 11, 0, 0, 0]);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(place), 0x7fffffff);

        long before = GC.GetAllocatedBytesForCurrentThread();
        MalformedDataException error = Assert.Throws<MalformedDataException>(() => TfLiteFile.Read(file));

        Assert.Equal(place, error.Offset);
        Assert.Equal("Model.metadata_buffer", error.Path);
        Assert.Equal($"a vector of 2147483647 elements in a file of {file.Length} bytes", error.Found);
        Assert.Equal(
            $"at most {(file.Length - place - 4) / 4} elements from here to the end of the file", error.Expected);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 8, 0, 0, 0, (byte)'T', (byte)'F', (byte)'L' })]
    [InlineData(new byte[] { 8, 0, 0, 0, (byte)'O', (byte)'N', (byte)'N', (byte)'X', 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 0, (byte)'T', (byte)'F', (byte)'L', (byte)'3', 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0xff, 0xff, 0xff, 0xff, (byte)'T', (byte)'F', (byte)'L', (byte)'3', 0, 0, 0, 0 })]
    public void Files_that_are_no_model_are_refused(byte[] file) =>
        Assert.Equal("Model", Assert.Throws<MalformedDataException>(() => TfLiteFile.Read(file)).Path);

    [Fact]
    public void Another_model_version_is_refused()
    {
        FlatBufferWriter writer = new(shareEqual: false);
        writer.Add(0, 2u);
        byte[] file = writer.Finish(writer.FinishTable(), "TFL3").ToArray();

        MalformedDataException error = Assert.Throws<MalformedDataException>(() => TfLiteFile.Read(file));

        Assert.Equal(("Model.version", "2", "3"), (error.Path, error.Found, error.Expected));
    }

    [Fact]
    public void Options_of_a_newer_schema_are_refused()
    {
        byte[] file = WriteOperator(writer =>
        {
            FlatOffset options = writer.FinishTable();
            writer.Add(3, (byte)200);
            writer.Add(4, options);
        });

        MalformedDataException error = Assert.Throws<MalformedDataException>(() => TfLiteFile.Read(file));

        Assert.Equal("Model.subgraphs[0].operators[0].builtin_options", error.Path);
        Assert.Equal("type code 200 of a union", error.Found);
        Assert.Contains("newer", error.Expected, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_with_a_type_and_no_table_are_the_defaults()
    {
        byte[] file = WriteOperator(writer => writer.Add(3, (byte)BuiltinOptionsType.AddOptions));

        Assert.Equal(new AddOptions(), TfLiteFile.Read(file).Subgraphs[0].Operators[0].BuiltinOptions);
    }

    [Fact]
    public void Options_without_a_type_are_refused()
    {
        byte[] file = WriteOperator(writer =>
        {
            FlatOffset options = writer.FinishTable();
            writer.Add(4, options);
        });

        Assert.Equal(
            "Model.subgraphs[0].operators[0].builtin_options",
            Assert.Throws<MalformedDataException>(() => TfLiteFile.Read(file)).Path);
    }

    [Fact]
    public void Fields_of_a_newer_schema_are_reported()
    {
        byte[] file = WriteOperator(writer => writer.Add(17, 5));

        ModelRecord model = TfLiteFile.Read(file, out IReadOnlyCollection<string> unknownFields);

        Assert.Single(model.Subgraphs[0].Operators);
        Assert.Equal(["Operator.slot 17"], unknownFields);
    }

    [Theory]
    [InlineData("Model.subgraphs[0].operators[0].opcode_index")]
    [InlineData("Model.subgraphs[0].operators[0].inputs[1]")]
    [InlineData("Model.subgraphs[0].operators[0].outputs[0]")]
    [InlineData("Model.subgraphs[0].operators[0].intermediates[0]")]
    [InlineData("Model.subgraphs[0].inputs[0]")]
    [InlineData("Model.subgraphs[0].outputs[0]")]
    [InlineData("Model.subgraphs[0].tensors[1].buffer")]
    [InlineData("Model.metadata[0].buffer")]
    [InlineData("Model.signature_defs[0].subgraph_index")]
    [InlineData("Model.signature_defs[0].outputs[0].tensor_index")]
    public void Indices_without_a_target_are_refused(string path)
    {
        OperatorRecord node = path switch
        {
            _ when path.EndsWith("opcode_index", StringComparison.Ordinal) => new() { OpcodeIndex = 1 },
            _ when path.EndsWith("operators[0].inputs[1]", StringComparison.Ordinal) => new() { Inputs = [-1, 2] },
            _ when path.EndsWith("operators[0].outputs[0]", StringComparison.Ordinal) => new() { Outputs = [-2] },
            _ when path.EndsWith("intermediates[0]", StringComparison.Ordinal) => new() { Intermediates = [99] },
            _ => new(),
        };
        ModelRecord model = TestModels.WithOperators(node);
        SubGraphRecord graph = model.Subgraphs[0];
        model = path switch
        {
            "Model.subgraphs[0].inputs[0]" => model with { Subgraphs = [graph with { Inputs = [-1] }] },
            "Model.subgraphs[0].outputs[0]" => model with { Subgraphs = [graph with { Outputs = [2] }] },
            "Model.subgraphs[0].tensors[1].buffer" => model with
            {
                Subgraphs = [graph with { Tensors = [new(), new() { Buffer = uint.MaxValue }] }],
            },
            "Model.metadata[0].buffer" => model with { Metadata = [new() { Buffer = 1 }] },
            "Model.signature_defs[0].subgraph_index" => model with { SignatureDefs = [new() { SubgraphIndex = 1 }] },
            "Model.signature_defs[0].outputs[0].tensor_index" => model with
            {
                SignatureDefs = [new() { Outputs = [new() { TensorIndex = 2 }] }],
            },
            _ => model,
        };

        Assert.Equal(
            path, Assert.Throws<MalformedDataException>(() => TfLiteFile.Read(TfLiteFile.ToArray(model))).Path);
    }

    /// <summary>A model of one operator without operands.</summary>
    private static byte[] WriteOperator(Action<FlatBufferWriter> addFields)
    {
        FlatBufferWriter writer = new(shareEqual: false);
        FlatOffset code = writer.FinishTable();
        FlatOffset codes = writer.TableVector([code], (_, written) => written);
        addFields(writer);
        FlatOffset node = writer.FinishTable();
        FlatOffset nodes = writer.TableVector([node], (_, written) => written);
        writer.Add(3, nodes);
        FlatOffset graph = writer.FinishTable();
        FlatOffset graphs = writer.TableVector([graph], (_, written) => written);
        writer.Add(0, 3u);
        writer.Add(1, codes);
        writer.Add(2, graphs);
        return writer.Finish(writer.FinishTable(), "TFL3").ToArray();
    }
}
