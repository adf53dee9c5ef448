using System.Globalization;
using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops.Kernels;

/// <summary>
/// Single values come from a second implementation of the same formulas over unbounded integers; the bounds against the real
/// functions are about twice the largest error it showed on a million samples.
/// </summary>
public sealed class FixedPointMathTests
{
    private const double Q0 = 1L << 31;

    private const int Seed = 1234;

    [Theory]
    [InlineData(0, 5, int.MaxValue)]
    [InlineData(-1, 0, 2147483155)]
    [InlineData(-2147483648, 0, 790015308)]
    [InlineData(-536870912, 0, 1672462419)]
    [InlineData(-12345678, 4, 1958765233)]
    [InlineData(-2147483648, 5, 0)]
    [InlineData(-987654321, 5, 872)]
    [InlineData(-123456, 8, 2116110078)]
    [InlineData(-536870913, 8, 0)]
    [InlineData(-1, 12, 2147479060)]
    public void Reproduces_the_exponential(int a, int integerBits, int expected) =>
        Assert.Equal(expected, FixedPointMath.ExpOfNegative(a, integerBits));

    [Theory]
    [InlineData(0, 4, 1 << 30)]
    [InlineData(1, 4, 1073741948)]
    [InlineData(-1, 4, 1073741699)]
    [InlineData(12345678, 4, 1123089750)]
    [InlineData(-12345678, 4, 1024393897)]
    [InlineData(2147483647, 4, 2147483406)]
    [InlineData(-2147483647, 4, 241)]
    [InlineData(-55555555, 5, 653052999)]
    [InlineData(314159265, 3, 1638971256)]
    public void Reproduces_the_logistic_function(int a, int integerBits, int expected) =>
        Assert.Equal(expected, FixedPointMath.Logistic(a, integerBits));

    [Theory]
    [InlineData(0, 4, 0)]
    [InlineData(1, 4, 260)]
    [InlineData(-1, 4, -260)]
    [InlineData(12345678, 4, 196975628)]
    [InlineData(-12345678, 4, -196975628)]
    [InlineData(2147483647, 4, 2147483647)]
    [InlineData(-271828182, 3, -1646800624)]
    [InlineData(1073741824, 0, 992388804)]
    public void Reproduces_the_hyperbolic_tangent(int a, int integerBits, int expected) =>
        Assert.Equal(expected, FixedPointMath.Tanh(a, integerBits));

    [Theory]
    [InlineData(1, 31, 2147483647, 0)]
    [InlineData(2, 31, 2147483647, 1)]
    [InlineData(3, 31, 1431655762, 1)]
    [InlineData(127, 31, 1082196484, 6)]
    [InlineData(524288, 12, 2147483647, 0)]
    [InlineData(123456789, 12, 1167333038, 7)]
    [InlineData(2147483647, 12, 1073741820, 11)]
    public void Reproduces_the_reciprocal(int x, int integerBits, int value, int shift) =>
        Assert.Equal((value, shift), FixedPointMath.Reciprocal(x, integerBits));

    [Theory]
    [InlineData(0, 2147483647, 0)]
    [InlineData(1, 2147483647, 0)]
    [InlineData(2, 1518498372, 0)]
    [InlineData(3, 1239850284, 0)]
    [InlineData(4, 1073741828, 0)]
    [InlineData(5, 960383900, 0)]
    [InlineData(100, 214748363, 0)]
    [InlineData(65536, 268435457, -5)]
    [InlineData(536870912, 379624593, -12)]
    [InlineData(2147483647, 189812531, -12)]
    [InlineData(1234567, 247390217, -7)]
    public void Reproduces_the_inverse_square_root(int x, int mantissa, int exponent) =>
        Assert.Equal(new FixedPoint(mantissa, exponent), FixedPointMath.InverseSquareRoot(x));

    [Theory]
    [InlineData(524288, 0)]
    [InlineData(524289, 128)]
    [InlineData(1048576, 46516320)]
    [InlineData(1572864, 73726624)]
    [InlineData(123456789, 366522130)]
    [InlineData(2147483647, 558195838)]
    public void Reproduces_the_logarithm(int x, int expected) => Assert.Equal(expected, FixedPointMath.LogOfSum(x));

    [Theory]
    [InlineData(4, 0, 2013265920)]
    [InlineData(4, 3, 251658240)]
    [InlineData(5, 1, 1040187392)]
    [InlineData(5, 9, 4063232)]
    [InlineData(5, -1, int.MaxValue)]
    public void Computes_the_input_radius(int integerBits, int leftShift, int expected) =>
        Assert.Equal(expected, FixedPointMath.InputRadius(integerBits, leftShift));

    [Fact]
    public void Stays_near_the_exponential()
    {
        KernelSamples samples = new(Seed);
        for (int integerBits = 0; integerBits <= 12; integerBits++)
        {
            AssertNear(
                1000 / Q0,
                () => -(samples.Integer() & int.MaxValue),
                a => FixedPointMath.ExpOfNegative(a, integerBits) / Q0,
                a => Math.Exp(Math.ScaleB(a, integerBits - 31)));
        }
    }

    [Fact]
    public void Stays_near_the_logistic_function_and_the_hyperbolic_tangent()
    {
        KernelSamples samples = new(Seed);
        for (int integerBits = 0; integerBits <= 8; integerBits++)
        {
            AssertNear(
                300 / Q0,
                samples.Integer,
                a => FixedPointMath.Logistic(a, integerBits) / Q0,
                a => 1 / (1 + Math.Exp(-Math.ScaleB(a, integerBits - 31))));
            AssertNear(
                600 / Q0,
                samples.Integer,
                a => FixedPointMath.Tanh(a, integerBits) / Q0,
                a => Math.Tanh(Math.ScaleB(a, integerBits - 31)));
        }
    }

    [Fact]
    public void Stays_near_the_reciprocal()
    {
        KernelSamples samples = new(Seed);
        AssertNear(
            1e-8,
            () => Math.Max(1, samples.Integer() & int.MaxValue),
            x =>
            {
                (int value, int shift) = FixedPointMath.Reciprocal(x, 12);
                return Math.ScaleB(value / Q0, -shift) * Math.ScaleB(x, -19);
            },
            _ => 1);
    }

    [Fact]
    public void Stays_near_the_inverse_square_root()
    {
        KernelSamples samples = new(Seed);
        AssertNear(
            3e-6,
            () => Math.Max(1, samples.Integer() & int.MaxValue),
            x =>
            {
                FixedPoint root = FixedPointMath.InverseSquareRoot(x);
                return Math.ScaleB(root.Mantissa / Q0, root.Exponent) * Math.Sqrt(x);
            },
            _ => 1);
    }

    [Fact]
    public void Stays_near_the_logarithm()
    {
        KernelSamples samples = new(Seed);
        AssertNear(
            1e-7,
            () => Math.Max(1 << 19, samples.Integer() & int.MaxValue),
            x => Math.ScaleB(FixedPointMath.LogOfSum(x), -26),
            x => Math.Log(Math.ScaleB(x, -19)));
    }

    [Fact]
    public void Is_symmetric_to_the_last_bit()
    {
        KernelSamples samples = new(Seed);
        for (int i = 0; i < 5000; i++)
        {
            int a = Math.Max(1, samples.Integer() & int.MaxValue);
            string place = string.Create(CultureInfo.InvariantCulture, $"seed {Seed}, case {i}, {a}");
            Assert.True(FixedPointMath.Tanh(a, 4) == -FixedPointMath.Tanh(-a, 4), place);
            Assert.True(
                FixedPointMath.Logistic(a, 4) == int.MaxValue - FixedPointMath.Logistic(-a, 4), place);
        }
    }

    [Fact]
    public void Survives_the_ends_of_the_integers()
    {
        foreach (int a in KernelSamples.BoundaryIntegers())
        {
            for (int integerBits = 0; integerBits <= 12; integerBits++)
            {
                Assert.InRange(FixedPointMath.Logistic(a, integerBits), 0, int.MaxValue);
                Assert.InRange(FixedPointMath.Tanh(a, integerBits), -int.MaxValue, int.MaxValue);
            }
        }
    }

    private static void AssertNear(double bound, Func<int> sample, Func<int, double> actual, Func<int, double> expected)
    {
        for (int i = 0; i < 4000; i++)
        {
            int x = sample();
            double error = Math.Abs(actual(x) - expected(x));
            Assert.True(error <= bound, $"seed {Seed}, case {i}: the error at {x} is {error:E2}");
        }
    }
}
