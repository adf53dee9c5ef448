using Optc.Ops.Execution;

namespace Optc.Ops.Kernels;

/// <summary>Products with weights <c>[N, K]</c> of a float op: packed once when constant, before each use when computed.</summary>
internal sealed class FloatMatVec
{
    private readonly KernelContext _context;
    private readonly int[] _operands;
    private readonly PackedMatrix? _packed;
    private readonly bool _isConstant;
    private readonly int _columns;

    /// <summary>Weights of one operand.</summary>
    /// <param name="k">Columns of the weights: the depth of the product.</param>
    /// <param name="n">Rows of the weights: the width of the result.</param>
    public FloatMatVec(KernelContext context, int operand, int k, int n)
        : this(context, [operand], k, n)
    {
    }

    /// <summary>Weights of several operands of the same shape, one below the other.</summary>
    public FloatMatVec(KernelContext context, int[] operands, int k, int n)
    {
        _context = context;
        _operands = operands;
        _columns = n;
        _packed = k > 0 && n > 0 ? new PackedMatrix(k, checked(n * operands.Length)) : null;
        _isConstant = Array.TrueForAll(operands, o => context.Constant(o) is not null);
        if (_isConstant && _packed is not null)
        {
            float[] stacked = new float[checked(k * n * operands.Length)];
            for (int i = 0; i < operands.Length; i++)
            {
                context.Constant(operands[i])!.AsFloats().CopyTo(stacked.AsSpan(i * k * n));
            }

            _packed.Pack(stacked, kStride: 1, nStride: k);
        }
    }

    /// <summary><c>y [rows, n] += x [rows, k] * W^T</c>.</summary>
    public void AddProduct(int rows, ReadOnlySpan<float> x, int xStride, Span<float> y, int yStride)
    {
        if (_packed is null || rows == 0)
        {
            return;
        }

        if (_isConstant)
        {
            FloatGemm.Multiply(
                rows, x, xStride, 1, _packed, [], float.NegativeInfinity, float.PositiveInfinity, y, yStride, accumulate: true);
            return;
        }

        for (int row = 0; row < rows; row++)
        {
            for (int i = 0; i < _operands.Length; i++)
            {
                AddProduct(_context.In<float>(_operands[i]), x.Slice(row * xStride, _packed.K), y.Slice((row * yStride) + (i * _columns), _columns));
            }
        }
    }

    private static void AddProduct(ReadOnlySpan<float> weights, ReadOnlySpan<float> x, Span<float> y)
    {
        for (int n = 0; n < y.Length; n++)
        {
            float sum = y[n];
            ReadOnlySpan<float> row = weights.Slice(n * x.Length, x.Length);
            for (int k = 0; k < row.Length; k++)
            {
                sum = MathF.FusedMultiplyAdd(row[k], x[k], sum);
            }

            y[n] = sum;
        }
    }
}
