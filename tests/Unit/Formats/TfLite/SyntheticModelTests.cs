using System.Buffers.Binary;
using System.Collections.Immutable;
using Optc.Formats;
using Optc.Formats.FlatBuffers;
using Optc.Formats.TfLite;
using Xunit;

namespace Optc.Tests.Unit.Formats.TfLite;

public sealed class SyntheticModelTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Every_options_table_survives_writing(int seed)
    {
        ModelRecord model = TestModels.WithAllOptions(seed);

        ModelRecord again = TfLiteFile.Read(TfLiteFile.ToArray(model));

        Assert.Equal(126 + 23, model.Subgraphs[0].Operators.Length);
        for (int i = 0; i < model.Subgraphs[0].Operators.Length; i++)
        {
            Assert.Equal(model.Subgraphs[0].Operators[i], again.Subgraphs[0].Operators[i]);
        }

        Assert.Equal(model, again);
    }

    [Fact]
    public void Every_options_table_may_be_empty()
    {
        ModelRecord model = TestModels.WithOperators([.. RandomRecords.OptionTypes.Select(type => new OperatorRecord
        {
            BuiltinOptions = Activator.CreateInstance(type) as IBuiltinOptions,
            BuiltinOptions2 = Activator.CreateInstance(type) as IBuiltinOptions2,
        })]);

        Assert.Equal(model, TfLiteFile.Read(TfLiteFile.ToArray(model)));
    }

    [Fact]
    public void Every_property_survives_writing()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            ModelRecord model = TestModels.WithEverything(seed);

            ModelRecord again = TfLiteFile.Read(
                TfLiteFile.ToArray(model), out IReadOnlyCollection<string> unknownFields);

            Assert.True(model.Equals(again), $"seed {seed}");
            Assert.Empty(unknownFields);
        }
    }

    [Fact]
    public void Defaults_are_those_of_the_schema()
    {
        Assert.Equal(1, new Conv2DOptions().DilationWFactor);
        Assert.True(new AddOptions().PotScaleInt16);
        Assert.True(new SubOptions().PotScaleInt16);
        Assert.True(new BidirectionalSequenceLSTMOptions().TimeMajor);
        Assert.Equal(1, new OperatorCodeRecord().Version);
        Assert.Equal(-1, new OperatorRecord().DebugMetadataIndex);
        Assert.Equal(TensorElementType.Int32, new UniqueOptions().IdxOutType);
        Assert.Empty(new TensorRecord { Shape = default }.Shape);
    }

    [Theory]
    [InlineData(BuiltinOperator.Conv2D, 3)]
    [InlineData(BuiltinOperator.BatchMatmul, 126)]
    [InlineData(BuiltinOperator.Cumsum, 127)]
    [InlineData(BuiltinOperator.StablehloCase, 127)]
    [InlineData((BuiltinOperator)3000, 127)]
    public void The_narrow_operator_code_is_capped(BuiltinOperator code, sbyte narrow)
    {
        ModelRecord model = TestModels.WithOperators() with { OperatorCodes = [new() { BuiltinCode = code }] };

        byte[] file = TfLiteFile.ToArray(model);

        Assert.Equal(code, TfLiteFile.Read(file).OperatorCodes[0].BuiltinCode);
        FlatBufferReader reader = new(file);
        sbyte written = reader.ReadRoot("Model", "TFL3", model => model.TableVector(
            1, "operator_codes", entry => (object)entry.Scalar<sbyte>(0, "deprecated_builtin_code"))[0]) is sbyte value
            ? value
            : default;
        Assert.Equal(narrow, written);
    }

    [Fact]
    public void A_file_with_only_the_narrow_operator_code_is_read()
    {
        FlatBufferWriter writer = new(shareEqual: false);
        writer.Add(0, (sbyte)BuiltinOperator.DepthwiseConv2D);
        FlatOffset code = writer.FinishTable();
        FlatOffset codes = writer.TableVector([code], (_, written) => written);
        writer.Add(0, 3u);
        writer.Add(1, codes);

        ModelRecord model = TfLiteFile.Read(writer.Finish(writer.FinishTable(), "TFL3").ToArray());

        Assert.Equal(BuiltinOperator.DepthwiseConv2D, model.OperatorCodes.Single().BuiltinCode);
    }

    [Fact]
    public void Unknown_enum_values_survive()
    {
        ModelRecord model = TestModels.WithOperators() with
        {
            Subgraphs = [new() { Tensors = [new() { Type = (TensorElementType)99 }] }],
        };

        Assert.Equal((TensorElementType)99, TfLiteFile.Read(TfLiteFile.ToArray(model)).Subgraphs[0].Tensors[0].Type);
    }

    [Fact]
    public void Names_that_are_no_utf8_survive()
    {
        byte[] file = TfLiteFile.ToArray(TestModels.WithOperators() with { Description = "AAAA\u00e9BBBB" });
        int place = file.AsSpan().IndexOf("AAAA"u8);
        file[place + 1] = 0xff;
        file[place + 2] = 0xc3;

        ModelRecord model = TfLiteFile.Read(file);

        Assert.Equal("A\udcff\udcc3A\u00e9BBBB", model.Description);
        Assert.Equal(file, TfLiteFile.ToArray(model));
    }

    [Fact]
    public void Absent_and_empty_names_differ()
    {
        ModelRecord model = TestModels.WithOperators() with
        {
            Subgraphs = [new() { Tensors = [new() { Name = "" }, new() { Name = null }] }],
        };

        ImmutableArray<TensorRecord> tensors = TfLiteFile.Read(TfLiteFile.ToArray(model)).Subgraphs[0].Tensors;

        Assert.Equal("", tensors[0].Name);
        Assert.Null(tensors[1].Name);
    }

    [Fact]
    public void Negative_zero_is_not_taken_for_the_default()
    {
        OperatorRecord node = new() { BuiltinOptions = new LeakyReluOptions { Alpha = -0.0f } };

        ModelRecord again = TfLiteFile.Read(TfLiteFile.ToArray(TestModels.WithOperators(node)));
        float alpha = again.Subgraphs[0].Operators[0].Require<LeakyReluOptions>().Alpha;

        Assert.Equal(BitConverter.SingleToInt32Bits(-0.0f), BitConverter.SingleToInt32Bits(alpha));
    }

    [Fact]
    public void Absent_options_are_the_defaults_of_the_kind_asked_for()
    {
        Assert.Equal(new Conv2DOptions(), new OperatorRecord().Require<Conv2DOptions>());
        Assert.Equal(new StablehloPadOptions(), new OperatorRecord().Require<StablehloPadOptions>());
    }

    [Fact]
    public void Options_of_another_kind_are_refused()
    {
        OperatorRecord node = new() { BuiltinOptions = new AddOptions() };

        MalformedDataException error = Assert.Throws<MalformedDataException>(() => node.Require<Conv2DOptions>());

        Assert.Equal("a table AddOptions", error.Found);
        Assert.Equal("a table Conv2DOptions", error.Expected);
    }

    [Fact]
    public void Data_behind_the_flatbuffer_is_found()
    {
        byte[] head = WriteExternal(offset: 4096, size: 3);
        byte[] file = new byte[4099];
        head.CopyTo(file, 0);
        file[4096] = 7;
        file[4098] = 9;

        ModelRecord model = TfLiteFile.Read(file);

        Assert.Equal([7, 0, 9], model.Buffers[0].Data.ToArray());
        Assert.Equal([7, 0, 9], model.Subgraphs[0].Operators[0].CustomOptions.ToArray());
        Assert.Equal([7, 0, 9], TfLiteFile.Read(TfLiteFile.ToArray(model)).Buffers[0].Data.ToArray());
    }

    [Theory]
    [InlineData(4097ul, 3ul)]
    [InlineData(1ul << 40, 3ul)]
    [InlineData(16ul, ulong.MaxValue)]
    [InlineData(ulong.MaxValue, ulong.MaxValue)]
    public void Data_behind_the_end_of_the_file_is_refused(ulong offset, ulong size)
    {
        byte[] file = new byte[4099];
        WriteExternal(offset, size).CopyTo(file, 0);

        MalformedDataException error = Assert.Throws<MalformedDataException>(() => TfLiteFile.Read(file));

        Assert.Equal("Model.subgraphs[0].operators[0].large_custom_options_offset", error.Path);
    }

    [Fact]
    public void The_placeholder_offset_means_no_data()
    {
        Assert.True(TfLiteFile.Read(WriteExternal(offset: 1, size: 1)).Buffers[0].Data.IsEmpty);
    }

    private static byte[] WriteExternal(ulong offset, ulong size)
    {
        FlatBufferWriter writer = new(shareEqual: false);
        writer.Add(1, offset);
        writer.Add(2, size);
        FlatOffset buffer = writer.FinishTable();
        FlatOffset buffers = writer.TableVector([buffer], (_, written) => written);
        writer.Add(9, offset);
        writer.Add(10, size);
        FlatOffset node = writer.FinishTable();
        FlatOffset nodes = writer.TableVector([node], (_, written) => written);
        writer.Add(3, nodes);
        FlatOffset graph = writer.FinishTable();
        FlatOffset graphs = writer.TableVector([graph], (_, written) => written);
        FlatOffset code = writer.FinishTable();
        FlatOffset codes = writer.TableVector([code], (_, written) => written);
        writer.Add(0, 3u);
        writer.Add(1, codes);
        writer.Add(2, graphs);
        writer.Add(4, buffers);
        return writer.Finish(writer.FinishTable(), "TFL3").ToArray();
    }

    [Fact]
    public void Writing_allocates_little_beside_the_data()
    {
        byte[] weights = new byte[32 << 20];
        BinaryPrimitives.WriteInt32LittleEndian(weights, 42);
        ModelRecord model = TestModels.WithOperators() with
        {
            Buffers =
            [
                new(),
                .. Enumerable.Range(0, 32).Select(i => new BufferRecord { Data = weights.AsMemory(i << 20, 1 << 20) }),
            ],
        };
        TfLiteFile.Write(TestModels.WithOperators(), Stream.Null);

        long before = GC.GetAllocatedBytesForCurrentThread();
        TfLiteFile.Write(model, Stream.Null);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.InRange(allocated, 0, 1 << 20);
    }
}
