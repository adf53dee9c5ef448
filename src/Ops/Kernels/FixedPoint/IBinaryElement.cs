namespace Optc.Ops.Kernels;

/// <summary>One element of a binary operator, implemented by a struct so that loops over it are specialised.</summary>
public interface IBinaryElement<in TFirst, in TSecond, out TResult>
{
    TResult Invoke(TFirst first, TSecond second);
}
