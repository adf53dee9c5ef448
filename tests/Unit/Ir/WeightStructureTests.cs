using Optc.Ir;
using Xunit;

namespace Optc.Tests.Unit.Ir;

public sealed class WeightStructureTests
{
    private const int Trials = 200;

    [Fact]
    public void What_was_planted_holds() => Each((random, shape, axis) =>
    {
        TensorData data = PlantedWeight.Random(random, shape, axis);
        Assert.True(data.Structure is null || data.Check().IsEmpty);
    });

    [Fact]
    public void A_value_where_the_mask_has_a_zero_is_found() => Each((random, shape, axis) =>
    {
        TensorData data = PlantedWeight.Make(random, shape, axis, grid: random.Next(2) == 0, codes: 0, masked: true);
        if (data.Structure?.Mask is not { } mask)
        {
            return;
        }

        int place = mask.Kept.IndexOf(false);
        StructureBreach breach = Assert.Single(data.With(place, 1e-30f).Check());
        Assert.Equal(("zeros of the mask", $"{mask.Zeros} of {mask.Zeros}", $"{mask.Zeros - 1} of {mask.Zeros}"), (breach.What, breach.Expected, breach.Found));
        Assert.Empty(data.With(place, -0f).Check());
    });

    [Fact]
    public void One_code_too_many_is_found()
    {
        float[] values = [0, 1, 2, 3, 0, 1, 2, 3];
        TensorData data = TensorData.FromFloats([2, 4], values);

        StructureBreach breach = Assert.Single(new WeightStructure { Codebook = new(3) }.Check(data));
        Assert.Equal(("distinct codes", "3 at most", "4"), (breach.What, breach.Expected, breach.Found));
        Assert.Empty(new WeightStructure { Codebook = new(4) }.Check(data));
        Assert.Empty(new WeightStructure { Codebook = new(2, Groups: 4, Axis: 1) }.Check(data));
        Assert.Equal("distinct codes of each group", Assert.Single(new WeightStructure { Codebook = new(3, Groups: 2) }.Check(data)).What);
    }

    [Fact]
    public void A_value_beside_the_grid_is_found() => Each((random, shape, axis) =>
    {
        TensorData data = PlantedWeight.Make(random, shape, axis, grid: true, codes: 0, masked: false);
        int place = random.Next((int)shape.ElementCount);
        float scale = data.Structure!.Grid!.Scales[new ChannelMap(shape, axis).ChannelOf(place)];

        Assert.Equal("values on their grid", Assert.Single(data.With(place, scale * 3.4f).Check()).What);
        StructureBreach large = Assert.Single(data.With(place, scale * -130).Check());
        Assert.Equal(("codes of 8 bits", "-127 to 127", "130"), (large.What, large.Expected, large.Found));
        Assert.Contains(data.With(place, float.NaN).Check(), b => b.What == "values on their grid");
        Assert.NotEmpty(data.With(place, float.PositiveInfinity).Check());
    });

    /// <summary>Rounding errors of a few operations are no breach, a thousandth of a step is.</summary>
    [Fact]
    public void Rounding_is_no_breach()
    {
        WeightStructure grid = new() { Grid = new([0.1f], 0) };
        Assert.Empty(grid.Check(TensorData.FromFloats([2], [MathF.BitIncrement(12.7f), MathF.BitDecrement(-0.1f)])));
        Assert.NotEmpty(grid.Check(TensorData.FromFloats([1], [0.1002f])));
    }

    [Fact]
    public void Integers_are_their_own_codes()
    {
        WeightStructure structure = new() { Codebook = new(3), Mask = new("elements", [true, false, true, true]) };
        Assert.Empty(structure.Check(TensorData.From<sbyte>(DType.I8, [4], [5, 0, -7, 0])));
        Assert.Equal(2, structure.Check(TensorData.From<sbyte>(DType.I8, [4], [5, 1, -7, 0])).Length);
        Assert.Single(structure.Check(TensorData.From<short>(DType.I16, [4], [5, 500, -7, -7])));
    }

    [Fact]
    public void Parts_that_do_not_fit_the_weight_are_named()
    {
        TensorData data = TensorData.FromFloats([4, 2], new float[8]);
        Assert.Equal("a mask of the weight's size", Single(new() { Mask = new("elements", [true]) }));
        Assert.Equal("codebooks for as many channels each", Single(new() { Codebook = new(2, Groups: 3) }));
        Assert.Equal("axis of the codebooks", Single(new() { Codebook = new(2, Groups: 2, Axis: 2) }));
        Assert.Equal("size of a codebook", Single(new() { Codebook = new(0) }));
        Assert.Equal("a scale for each channel", Single(new() { Grid = new([1, 1], 0) }));
        Assert.Equal("axis of the grid", Single(new() { Grid = new([1], -1) }));
        Assert.Equal("scales of a grid", Single(new() { Grid = new([0], 0) }));
        Assert.Equal("scales of a grid", Single(new() { Grid = new([float.NaN], 0) }));
        Assert.Equal("bits of a grid", Single(new() { Grid = new([1], 0, 1) }));
        Assert.Equal(
            "an element type that can have a structure", new WeightStructure { Codebook = new(1) }.Check(TensorData.Scalar(1)).Single().What);

        string Single(WeightStructure structure) => Assert.Single(structure.Check(data)).What;
    }

    [Fact]
    public void Scaled_channels_keep_their_codes() => Each((random, shape, axis) =>
    {
        TensorData data = PlantedWeight.Random(random, shape, axis);
        if (data.Structure is not { } structure)
        {
            return;
        }

        double[] factors = [.. Enumerable.Range(0, shape[axis]).Select(_ => Math.Exp((random.NextDouble() * 8) - 4))];
        TensorData scaled = Multiplied(data, axis, factors);

        Assert.Empty(scaled.Check());
        Assert.Equal(structure.Mask, scaled.Structure!.Mask);
        if (structure.Grid is not null)
        {
            Assert.Equal(structure.Codes(data).AsEnumerable(), scaled.Structure.Codes(scaled));
            Assert.Equal(structure.Codebook?.Codes, scaled.Structure.Codebook?.Codes);
            Assert.Equal(structure.Codebook?.Groups, scaled.Structure.Codebook?.Groups);
        }
    });

    [Fact]
    public void Factors_of_any_sign_and_size_leave_a_structure_that_holds() => Each((random, shape, axis) =>
    {
        TensorData data = PlantedWeight.Random(random, shape, axis);
        double[] factors = [.. Enumerable.Range(0, shape[axis]).Select(_ => random.Next(6) switch { 0 => 0, 1 => 1e-36, 2 => -0.0, 3 => 1.5, _ => -Math.Exp(random.NextDouble()) })];
        if (data.Structure is { } structure)
        {
            TensorData scaled = Multiplied(data, axis, factors);
            Assert.Empty(scaled.Check());
            Assert.Equal(structure.Mask is null, scaled.Structure!.Mask is null);
            Assert.True(structure.Codebook is null || scaled.Structure.Codebook!.Codes <= 2 * structure.Codebook.Codes);
        }
    });

    [Fact]
    public void Channels_that_change_sign_need_the_opposites_of_the_codes_once()
    {
        WeightStructure structure = new() { Grid = new([0.1f], 0), Codebook = new(5) };
        Assert.Equal(9, structure.Scaled(0, [1, -1])!.Codebook!.Codes);
        Assert.Equal(5, structure.Scaled(0, [-2, -1])!.Codebook!.Codes);
        Assert.Equal(5, structure.Scaled(0, [-1, -1])!.Codebook!.Codes);
        WeightStructure unpinned = structure with { Codebook = new(5, PinsZero: false) };
        Assert.Equal(10, unpinned.Scaled(0, [1, -1])!.Codebook!.Codes);
        Assert.Equal(6, unpinned.Scaled(0, [1, 0])!.Codebook!.Codes);
        Assert.Equal(5, (structure with { Codebook = new(5, Groups: 2) }).Scaled(0, [1, -1])!.Codebook!.Codes);
    }

    /// <summary>A normalization of 0 makes a channel of zeros, whose scale must stay a positive number.</summary>
    [Fact]
    public void A_factor_of_zero_leaves_a_scale_that_can_be_stored() =>
        Assert.Equal([0.2f, 0.1f], new WeightStructure { Grid = new([0.1f], 0) }.Scaled(0, [2, 0])!.Grid!.Scales.AsEnumerable());

    [Fact]
    public void Codebooks_along_another_axis_cannot_be_scaled()
    {
        Assert.Null(new WeightStructure { Codebook = new(3, Groups: 2, Axis: 1) }.Scaled(0, [1, 2]));
        Assert.Null(new WeightStructure { Grid = new([1, 2], 1) }.Scaled(0, [1, 2]));
        Assert.Equal([2f, 4], new WeightStructure { Grid = new([1, 2], 1) }.Scaled(0, [2, 2, 2])!.Grid!.Scales.AsEnumerable());
    }

    [Fact]
    public void A_transposed_weight_keeps_everything() => Each((random, shape, axis) =>
    {
        TensorData data = PlantedWeight.Random(random, shape, axis);
        int[] order = [.. Enumerable.Range(0, shape.Rank)];
        random.Shuffle(order);
        Shape turned = Shape.Of([.. order.Select(d => shape[d])]);
        float[] values = new float[shape.ElementCount];
        for (int i = 0; i < values.Length; i++)
        {
            int[] at = new int[shape.Rank];
            for (int d = shape.Rank - 1, rest = i; d >= 0; d--)
            {
                (at[d], rest) = (rest % turned[d], rest / turned[d]);
            }

            int source = 0;
            for (int d = 0; d < shape.Rank; d++)
            {
                source = (source * shape[d]) + at[Array.IndexOf(order, d)];
            }

            values[i] = data.AsFloats()[source];
        }

        TensorData result = TensorData.FromFloats(turned, values).With(data.Structure?.Transposed(shape, order));
        Same(data.Structure, result, axis: Array.IndexOf(order, axis));
    });

    [Fact]
    public void A_reshaped_weight_keeps_what_its_shape_can_tell() => Each((random, shape, axis) =>
    {
        TensorData data = PlantedWeight.Random(random, shape, axis);
        int channels = shape[axis];
        bool first = axis == 0;
        Shape flat = Shape.Of(first ? [channels, (int)shape.ElementCount / channels] : [(int)shape.ElementCount / channels, channels]);

        Same(data.Structure, data.Reshape(flat), first ? 0 : 1);
        TensorData line = data.Reshape([(int)shape.ElementCount]);
        Assert.True(line.Structure is null || line.Check().IsEmpty);
        Assert.Equal(data.Structure?.Mask?.Zeros, line.Structure?.Mask?.Zeros);
    });

    /// <summary>Half precision rounds every value, by 0.06 of a step at most.</summary>
    [Fact]
    public void Half_precision_keeps_the_codes_of_8_bits() => Each((random, shape, axis) =>
    {
        TensorData data = PlantedWeight.Make(random, shape, axis, grid: true, codes: 7, masked: true);
        Half[] narrow = [.. data.AsFloats().ToArray().Select(v => (Half)v)];
        TensorData half = TensorData.From<Half>(DType.F16, shape, narrow);

        Assert.Equal(data.Structure, data.Structure!.HeldBy(half, axis));
        Assert.Equal(data.Structure.Codes(data).AsEnumerable(), data.Structure.Codes(half));
    });

    [Fact]
    public void What_no_longer_holds_is_given_up_piece_by_piece()
    {
        WeightStructure all = new() { Mask = new("elements", [true, false, true, true]), Codebook = new(2), Grid = new([1], 0) };
        Assert.Equal(all, all.HeldBy(TensorData.FromFloats([2, 2], [3, 0, 3, 0]), 0));
        WeightStructure loose = all.HeldBy(TensorData.FromFloats([2, 2], [3.3f, 0, 4.4f, 0]), 0)!;
        Assert.Equal((null, 2, all.Mask), (loose.Grid, loose.Codebook!.Groups, loose.Mask));
        WeightStructure zeros = all.HeldBy(TensorData.FromFloats([1, 4], [3.3f, 0, 4.4f, 5.5f]), 0)!;
        Assert.Equal((null, null, all.Mask), (zeros.Grid, zeros.Codebook, zeros.Mask));
        Assert.Null(all.HeldBy(TensorData.FromFloats([1, 4], [3.3f, 1, 4.4f, 5.5f]), 0));
    }

    private static void Same(WeightStructure? before, TensorData after, int axis)
    {
        Assert.Equal(before is null, after.Structure is null);
        if (before is not null)
        {
            Assert.Empty(after.Check());
            Assert.Equal(before.Mask?.Zeros, after.Structure!.Mask?.Zeros);
            Assert.Equal(before.Codebook?.Codes, after.Structure.Codebook?.Codes);
            Assert.Equal(before.Grid?.Scales, after.Structure.Grid?.Scales);
            Assert.True(after.Structure.Grid is not { Scales.Length: > 1 } grid || after.Shape[grid.Axis] == after.Shape[axis]);
        }
    }

    /// <summary>As folding does it: values in double precision, rounded once.</summary>
    private static TensorData Multiplied(TensorData data, int axis, double[] factors)
    {
        ChannelMap map = new(data.Shape, axis);
        float[] values = [.. data.AsFloats().ToArray().Select((v, i) => (float)(v * factors[map.ChannelOf(i)]))];
        return TensorData.FromFloats(data.Shape, values).With(data.Structure!.Scaled(axis, factors));
    }

    private static void Each(Action<Random, Shape, int> check)
    {
        for (int seed = 0; seed < Trials; seed++)
        {
            Random random = new(seed);
            (Shape shape, int axis) = random.Next(3) switch
            {
                0 => (Shape.Of([random.Next(1, 6), 2, 3, random.Next(1, 5)]), 0),
                1 => (Shape.Of([1, 3, 2, random.Next(1, 6)]), 3),
                _ => (Shape.Of([random.Next(1, 6), random.Next(1, 9)]), 0),
            };
            check(random, shape, axis);
        }
    }
}
