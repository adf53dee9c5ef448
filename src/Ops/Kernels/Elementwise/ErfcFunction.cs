using System.Runtime.Intrinsics;
using static System.Runtime.Intrinsics.Vector256;

namespace Optc.Ops.Kernels;

/// <summary>The complementary error function <c>2/sqrt(pi) * integral from x to infinity of exp(-t^2)</c>.</summary>
/// <remarks>
/// Source: W. J. Cody, Rational Chebyshev approximations for the error function, Math. Comp. 23 (1969): three
/// approximations, of erf for |x| up to 0.46875, of exp(x^2) erfc(x) up to 4, and of its asymptotic form beyond.
/// </remarks>
internal readonly struct ErfcFunction : IDoubleFunction
{
    private static ReadOnlySpan<double> SmallNumerator =>
        [1.85777706184603153e-1, 3.16112374387056560e00, 1.13864154151050156e02, 3.77485237685302021e02, 3.20937758913846947e03];

    private static ReadOnlySpan<double> SmallDenominator =>
        [1, 2.36012909523441209e01, 2.44024637934444173e02, 1.28261652607737228e03, 2.84423683343917062e03];

    private static ReadOnlySpan<double> MiddleNumerator =>
    [
        2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e00, 6.61191906371416295e01, 2.98635138197400131e02,
        8.81952221241769090e02, 1.71204761263407058e03, 2.05107837782607147e03, 1.23033935479799725e03,
    ];

    private static ReadOnlySpan<double> MiddleDenominator =>
    [
        1, 1.57449261107098347e01, 1.17693950891312499e02, 5.37181101862009858e02, 1.62138957456669019e03,
        3.29079923573345963e03, 4.36261909014324716e03, 3.43936767414372164e03, 1.23033935480374942e03,
    ];

    private static ReadOnlySpan<double> LargeNumerator =>
    [
        1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
        1.60837851487422766e-2, 6.58749161529837803e-4,
    ];

    private static ReadOnlySpan<double> LargeDenominator =>
    [
        1, 2.56852019228982242e00, 1.87295284992346725e00, 5.27905102951428412e-1, 6.05183413124413191e-2,
        2.33520497626869185e-3,
    ];

    public static Vector256<double> Invoke(Vector256<double> x)
    {
        const double InverseRootOfPi = 0.56418958354775628695;
        Vector256<double> magnitude = Abs(x);
        Vector256<double> square = x * x;
        Vector256<double> small = Vector256<double>.One
            - (x * Polynomial(SmallNumerator, square) / Polynomial(SmallDenominator, square));

        Vector256<double> middle = Polynomial(MiddleNumerator, magnitude) / Polynomial(MiddleDenominator, magnitude);
        Vector256<double> inverse = Vector256<double>.One / square;
        Vector256<double> large = (Create(InverseRootOfPi)
            - (inverse * Polynomial(LargeNumerator, inverse) / Polynomial(LargeDenominator, inverse))) / magnitude;
        Vector256<double> tail = ConditionalSelect(GreaterThan(magnitude, Create(4.0)), large, middle) * Exp(-square);
        tail = ConditionalSelect(LessThan(x, Vector256<double>.Zero), Create(2.0) - tail, tail);
        return ConditionalSelect(GreaterThan(magnitude, Create(0.46875)), tail, small);
    }

    private static Vector256<double> Polynomial(ReadOnlySpan<double> coefficients, Vector256<double> x)
    {
        Vector256<double> sum = Create(coefficients[0]);
        for (int i = 1; i < coefficients.Length; i++)
        {
            sum = (sum * x) + Create(coefficients[i]);
        }

        return sum;
    }
}
