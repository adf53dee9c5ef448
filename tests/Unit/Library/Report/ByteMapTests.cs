using System.Collections.Immutable;
using Optc.Backends.TfLite;
using Optc.Formats.FlatBuffers;
using Optc.Formats.TfLite;
using Optc.Frontend;
using Optc.Tests.Snapshots;
using Optc.Tests.Unit.Formats;
using Optc.Tests.Unit.Formats.TfLite;
using Xunit;
using FormatModels = Optc.Tests.Unit.Formats.TfLite.TestModels;

namespace Optc.Tests.Unit.Library.Report;

/// <summary>Every byte of a file has exactly one use.</summary>
public sealed class ByteMapTests
{
    [SharedTheory]
    [MemberData(nameof(ModelFiles.All), MemberType = typeof(ModelFiles))]
    public void Uses_add_up_to_the_file(string name)
    {
        byte[] file = ModelFiles.Load(name);
        TfLiteByteMap map = TfLiteByteMap.Of(file);

        ImmutableArray<long> uses = Count(map, TfLiteByteUse.OtherConstants);

        Assert.Equal(file.Length, uses.Sum());
        Assert.All(uses, u => Assert.True(u >= 0));
    }

    [Fact]
    public void Shared_vectors_count_once()
    {
        TensorRecord tensor = new() { Name = "t", Shape = [2, 3, 4], Buffer = 1, Type = TensorElementType.Int8 };
        ModelRecord once = Model(tensor);
        ModelRecord twice = Model(tensor, tensor);

        ImmutableArray<long> one = Count(TfLiteByteMap.Of(TfLiteFile.ToArray(once)), TfLiteByteUse.Weights);
        ImmutableArray<long> two = Count(TfLiteByteMap.Of(TfLiteFile.ToArray(twice)), TfLiteByteUse.Weights);

        Assert.Equal(3 * sizeof(int), two[(int)TfLiteByteUse.Shapes]);
        Assert.Equal(one[(int)TfLiteByteUse.Shapes], two[(int)TfLiteByteUse.Shapes]);
        Assert.Equal(one[(int)TfLiteByteUse.Names], two[(int)TfLiteByteUse.Names]);
        Assert.Equal(24, two[(int)TfLiteByteUse.Weights]);
    }

    [Fact]
    public void Each_use_has_the_bytes_of_its_content()
    {
        TensorRecord tensor = new()
        {
            Name = "name",
            Shape = [24],
            Buffer = 1,
            Type = TensorElementType.Int8,
            Quantization = new() { Scale = [1.5f, 2.5f], ZeroPoint = [7, 8, 9], Min = [-3], Max = [4, 5] },
        };
        byte[] file = TfLiteFile.ToArray(Model(tensor) with { Description = "about" });

        ImmutableArray<long> uses = Count(TfLiteByteMap.Of(file), TfLiteByteUse.Biases);

        Assert.Equal(file.Length, uses.Sum());
        Assert.Equal(24, uses[(int)TfLiteByteUse.Biases]);
        Assert.Equal(2 * sizeof(float), uses[(int)TfLiteByteUse.Scales]);
        Assert.Equal(3 * sizeof(long), uses[(int)TfLiteByteUse.ZeroPoints]);
        Assert.Equal(3 * sizeof(float), uses[(int)TfLiteByteUse.RecordedRanges]);
        Assert.Equal(sizeof(int), uses[(int)TfLiteByteUse.Shapes]);

        // "name" and "about", each with its zero byte.
        Assert.Equal(5 + 6, uses[(int)TfLiteByteUse.Names]);
        Assert.Equal(0, uses[(int)TfLiteByteUse.Weights]);
    }

    [Fact]
    public void Bytes_that_nothing_refers_to_are_unused()
    {
        byte[] head = TfLiteFile.ToArray(Model(new TensorRecord { Name = "t", Shape = [24], Buffer = 1, Type = TensorElementType.Int8 }));
        byte[] file = [.. head, .. new byte[100]];

        ImmutableArray<long> uses = Count(TfLiteByteMap.Of(file), TfLiteByteUse.Weights);

        Assert.Equal(file.Length, uses.Sum());
        Assert.Equal(0, Count(TfLiteByteMap.Of(head), TfLiteByteUse.Weights)[(int)TfLiteByteUse.Unused]);
        Assert.Equal(100, uses[(int)TfLiteByteUse.Unused]);
    }

    [Fact]
    public void Data_behind_the_flatbuffer_belong_to_their_buffer()
    {
        FlatBufferWriter writer = new(shareEqual: false);
        writer.Add(1, 4096ul);
        writer.Add(2, 100ul);
        FlatOffset buffers = writer.TableVector([writer.FinishTable()], (_, written) => written);
        writer.Add(0, 3u);
        writer.Add(4, buffers);
        byte[] head = writer.Finish(writer.FinishTable(), "TFL3").ToArray();
        byte[] file = new byte[4200];
        head.CopyTo(file, 0);

        ImmutableArray<long> uses = Count(TfLiteByteMap.Of(file), TfLiteByteUse.Weights);

        Assert.Equal(file.Length, uses.Sum());
        Assert.Equal(100, uses[(int)TfLiteByteUse.Weights]);
    }

    [Fact]
    public void Tables_have_the_bytes_of_their_parts()
    {
        TensorRecord tensor = new() { Shape = [24], Buffer = 1, Type = TensorElementType.Int8 };
        byte[] file = TfLiteFile.ToArray(Model(tensor));

        ImmutableArray<long> uses = Count(TfLiteByteMap.Of(file), TfLiteByteUse.OtherConstants);

        Assert.Equal(8, uses[(int)TfLiteByteUse.Head]);

        // The list of two buffers, the empty table, the table with data, and the length of the data.
        Assert.Equal(4 + (2 * 4) + 4 + 8 + 4, uses[(int)TfLiteByteUse.BufferTables]);

        // The list of one tensor, its table of four fields of 4, 4 and 1 byte behind the head, and the length of its shape.
        Assert.Equal(4 + 4 + (4 + 4 + 4 + 4) + 4, uses[(int)TfLiteByteUse.TensorTables]);
        Assert.Equal(24, uses[(int)TfLiteByteUse.OtherConstants]);
        Assert.Equal(0, uses[(int)TfLiteByteUse.Unused]);
        Assert.Equal(file.Length, uses.Sum());
    }

    /// <summary>Two buffers of one table, one of them of weights.</summary>
    [Fact]
    public void Shared_buffers_have_the_first_of_their_uses()
    {
        byte[] data = [.. Enumerable.Range(1, 24).Select(i => (byte)i)];
        byte[] file = TfLiteFile.ToArray(new ModelRecord { Subgraphs = [new()], Buffers = [new(), new() { Data = data }, new() { Data = data }] });

        ImmutableArray<long> uses = TfLiteByteMap.Of(file).Count([TfLiteByteUse.Unused, TfLiteByteUse.Unused, TfLiteByteUse.Weights]);

        Assert.Equal(24, uses[(int)TfLiteByteUse.Weights]);
        Assert.Equal(0, uses[(int)TfLiteByteUse.Unused]);
        Assert.Equal(file.Length, uses.Sum());
    }

    [Fact]
    public void Everything_the_schema_has_is_found()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            byte[] file = TfLiteFile.ToArray(FormatModels.WithEverything(seed));

            ImmutableArray<long> uses = Count(TfLiteByteMap.Of(file), TfLiteByteUse.Weights);

            Assert.Equal(file.Length, uses.Sum());

            // Our writer leaves gaps for alignment only: less than 16 bytes before each of the things it aligns.
            Assert.Equal(0, uses[(int)TfLiteByteUse.Unused]);
            Assert.InRange(uses[(int)TfLiteByteUse.Padding], 0, file.Length / 4);
        }
    }

    /// <summary>Foreign files and what optc writes of them.</summary>
    [SharedTheory]
    [MemberData(nameof(ModelFiles.All), MemberType = typeof(ModelFiles))]
    public void Written_files_have_nothing_unused(string name)
    {
        byte[] file = TfLiteBackend.ToArray(FrontendSet.Read(ModelFiles.Load(name), name), new(TfLiteNames.Interface));

        ImmutableArray<long> uses = Count(TfLiteByteMap.Of(file), TfLiteByteUse.Weights);

        Assert.Equal(file.Length, uses.Sum());
        Assert.Equal(0, uses[(int)TfLiteByteUse.Unused]);
        Assert.Equal(0, uses[(int)TfLiteByteUse.RecordedRanges]);
    }

    [Fact]
    public void Damaged_files_are_refused_or_add_up()
    {
        byte[] file = TfLiteFile.ToArray(FormatModels.WithEverything(seed: 3));

        int refused = Mutations.Refused(file, 1000, damaged =>
            Assert.Equal(damaged.Length, Count(TfLiteByteMap.Of(damaged), TfLiteByteUse.Weights).Sum()));

        Assert.InRange(refused, 100, 900);
    }

    private static ModelRecord Model(params ImmutableArray<TensorRecord> tensors) => new()
    {
        Subgraphs = [new() { Tensors = tensors }],
        Buffers = [new(), new() { Data = Enumerable.Range(1, 24).Select(i => (byte)i).ToArray() }],
    };

    private static ImmutableArray<long> Count(TfLiteByteMap map, TfLiteByteUse buffers)
    {
        TfLiteByteUse[] uses = new TfLiteByteUse[map.Model.Buffers.Length];
        Array.Fill(uses, buffers);
        return map.Count(uses);
    }
}
