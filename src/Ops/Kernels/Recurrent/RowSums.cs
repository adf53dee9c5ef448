using System.Runtime.InteropServices;
using Optc.Ops.Execution;

namespace Optc.Ops.Kernels;

/// <summary>
/// Sums of the rows of int8 weights <c>[N, K]</c>, by which the zero point of an activation leaves the inner loop:
/// <c>sum w * (x - z) = sum w * x - z * sum w</c>.
/// </summary>
internal sealed class RowSums
{
    private readonly KernelContext _context;
    private readonly int _operand;
    private readonly int _columns;
    private readonly bool _isConstant;
    private readonly int[] _sums;

    public RowSums(KernelContext context, int operand, int rows, int columns)
    {
        (_context, _operand, _columns) = (context, operand, columns);
        _sums = new int[rows];
        _isConstant = context.Constant(operand) is not null;
        if (_isConstant)
        {
            Sum(MemoryMarshal.Cast<byte, sbyte>(context.Constant(operand)!.Bytes.Span));
        }
    }

    /// <summary>The sums for the weights of this run. Called in a kernel only.</summary>
    public ReadOnlySpan<int> Current()
    {
        if (!_isConstant)
        {
            Sum(_context.In<sbyte>(_operand));
        }

        return _sums;
    }

    private void Sum(ReadOnlySpan<sbyte> weights)
    {
        for (int row = 0; row < _sums.Length; row++)
        {
            int sum = 0;
            foreach (sbyte weight in weights.Slice(row * _columns, _columns))
            {
                sum += weight;
            }

            _sums[row] = sum;
        }
    }
}
