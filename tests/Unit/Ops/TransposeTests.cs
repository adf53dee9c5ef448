using Optc.Ir;
using Optc.Ops;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class TransposeTests
{
    [Fact]
    public void Swaps_rows_and_columns() => Assert.Equal(
        [1f, 4, 2, 5, 3, 6],
        new OpCase(new Transpose()).Input<float>(DType.F32, [2, 3], 1, 2, 3, 4, 5, 6).Constant(DType.I32, [2], 1, 0).Run<float>());

    [Fact]
    public void Any_permutation_moves_every_element_to_its_place()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            Random random = new(seed);
            DType type = MovedElements.RandomType(random);
            Shape x = MovedElements.RandomShape(random, random.Next(0, 7), most: seed % 10 == 0 ? 3 : 5);
            x = x.Rank == 2 ? [random.Next(1, 50), random.Next(1, 50)] : x;
            int[] perm = [.. Enumerable.Range(0, x.Rank)];
            random.Shuffle(perm);
            byte[] source = MovedElements.Numbered(type, x);
            Shape y = [.. perm.Select(p => x[p])];
            byte[] expected = MovedElements.Expected(source, type.BitWidth / 8, x, y, to =>
            {
                int[] from = new int[to.Length];
                for (int i = 0; i < to.Length; i++)
                {
                    from[perm[i]] = to[i];
                }

                return from;
            });

            byte[] actual = new OpCase(new Transpose()).Input<byte>(new TensorType(type, x), source).Constant<int>(DType.I32, [x.Rank], perm).Run<byte>();

            Assert.True(expected.AsSpan().SequenceEqual(actual), $"seed {seed}: {type}{x} by {string.Join(",", perm)}");
        }
    }

    [Fact]
    public void Unknown_dimensions_move_too()
    {
        Assert.Equal(
            Shape.Of([3, -1]),
            new OpCase(new Transpose()).Input<float>(DType.F32, [-1, 3]).Constant(DType.I32, [2], 1, 0).Infer()[0].Shape);
        Assert.Equal(
            Shape.Of([-1, -1]),
            new OpCase(new Transpose()).Input<float>(DType.F32, [2, 3]).Input<int>(DType.I32, [2]).Infer()[0].Shape);
    }

    [Fact]
    public void A_computed_permutation_is_followed_at_run_time() => Assert.Equal(
        [1f, 4, 2, 5, 3, 6],
        new OpCase(new Transpose()).Input<float>(DType.F32, [2, 3], 1, 2, 3, 4, 5, 6).Input(DType.I32, [2], 1, 0).Run<float>());

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 2)]
    [InlineData(-1, 0)]
    [InlineData(int.MinValue, int.MaxValue)]
    public void Refuses_what_is_no_permutation(int a, int b) => Assert.ThrowsAny<OpRuleException>(
        () => new OpCase(new Transpose()).Input<float>(DType.F32, [2, 3]).Constant(DType.I32, [2], a, b).Infer());

    [Fact]
    public void Refuses_a_permutation_of_another_rank_and_packed_elements()
    {
        Assert.ThrowsAny<OpRuleException>(
            () => new OpCase(new Transpose()).Input<float>(DType.F32, [2, 3]).Constant(DType.I32, [3], 0, 1, 2).Infer());
        Assert.Throws<DiagnosticException>(
            () => new OpCase(new Transpose()).Input<byte>(new TensorType(DType.I4, [2, 2])).Constant(DType.I32, [2], 1, 0).Prepare());
    }

    [Theory]
    [InlineData(DType.F32, 2, 1)]
    [InlineData(DType.I8, 2, 2)]
    [InlineData(DType.Bool, 2, 3)]
    [InlineData(DType.F32, 5, 4)]
    [InlineData(DType.I16, 5, 5)]
    [InlineData(DType.I8, 6, 6)]
    [InlineData(DType.I4, 2, 7)]
    public void Has_the_version_of_the_table(DType type, int rank, int version) => Assert.Equal(
        version, new OpCase(new Transpose()).Input<byte>(new TensorType(type, [.. new int[rank]])).Constant<int>(DType.I32, [rank], [.. Enumerable.Range(0, rank)]).Version());
}
