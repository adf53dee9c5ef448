namespace Optc.Ops.Kernels;

/// <summary>
/// A stretch of consecutive results: for <c>0 &lt;= i &lt; Length</c>, result <c>Output + i</c> is made from
/// <c>First + i * FirstStep</c>, <c>Second + i * SecondStep</c> and <c>Third + i * ThirdStep</c>.
/// </summary>
/// <param name="Output">Offset in the result, in elements.</param>
/// <param name="Length">Number of results.</param>
/// <param name="First">Offset in the first operand.</param>
/// <param name="FirstStep">1, or 0 when the operand repeats.</param>
/// <param name="Second">Offset in the second operand.</param>
/// <param name="SecondStep">1, or 0 when the operand repeats.</param>
/// <param name="Third">Offset in the third operand; 0 in a plan of two.</param>
/// <param name="ThirdStep">1, or 0 when the operand repeats; 0 in a plan of two.</param>
public readonly record struct BroadcastRun(
    int Output, int Length, int First, int FirstStep, int Second, int SecondStep, int Third, int ThirdStep);
