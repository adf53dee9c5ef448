namespace Optc.Ops.Kernels.Movement;

/// <summary>Copies a tensor into a larger one and fills the border, or mirrors the content into it.</summary>
/// <remarks>
/// Dimensions without border are merged with the next outer one, so that rows of NHWC images are copied whole. Every
/// byte of the target is written once.
/// </remarks>
public sealed class PaddedCopy
{
    private readonly Axis[] _axes;
    private readonly bool _empty;

    /// <summary>Plans the copy.</summary>
    /// <param name="elementSize">Bytes of one element.</param>
    /// <param name="dims">Dimensions of the source.</param>
    /// <param name="before">Elements of border before each dimension, not negative.</param>
    /// <param name="after">Elements of border after each dimension, not negative.</param>
    public PaddedCopy(int elementSize, ReadOnlySpan<int> dims, ReadOnlySpan<int> before, ReadOnlySpan<int> after)
    {
        List<Axis> axes = [];
        long sourceBytes = elementSize;
        long targetBytes = elementSize;
        for (int i = dims.Length - 1; i >= 0; i--)
        {
            _empty |= dims[i] == 0;
            if (before[i] == 0 && after[i] == 0 && axes.Count > 0 && axes[0] is { Before: 0, After: 0 } inner)
            {
                axes[0] = inner with { Size = checked(inner.Size * dims[i]) };
            }
            else if (before[i] != 0 || after[i] != 0 || axes.Count > 0)
            {
                axes.Insert(0, new(dims[i], before[i], after[i], checked((int)sourceBytes), checked((int)targetBytes)));
            }

            sourceBytes = checked(sourceBytes * dims[i]);
            targetBytes = checked(targetBytes * ((long)dims[i] + before[i] + after[i]));
        }

        if (axes.Count == 0)
        {
            axes.Add(new(1, 0, 0, checked((int)sourceBytes), checked((int)targetBytes)));
        }

        _axes = [.. axes];
    }

    /// <summary>Copies and fills the border with one element. Allocates nothing.</summary>
    public void Fill(ReadOnlySpan<byte> source, Span<byte> target, ReadOnlySpan<byte> element)
    {
        if (_empty)
        {
            ElementFill.Fill(target, element);
            return;
        }

        Fill(0, source, target, element);
    }

    /// <summary>Copies and mirrors the content into the border. Allocates nothing.</summary>
    /// <param name="skip">1 when the outermost element is not repeated (reflection), 0 when it is (symmetry).</param>
    public void Mirror(ReadOnlySpan<byte> source, Span<byte> target, int skip)
    {
        if (!_empty)
        {
            Mirror(0, source, target, skip);
        }
    }

    private void Fill(int level, ReadOnlySpan<byte> source, Span<byte> target, ReadOnlySpan<byte> element)
    {
        Axis axis = _axes[level];
        int start = axis.Before * axis.TargetBytes;
        int end = start + (axis.Size * axis.TargetBytes);
        if (start > 0)
        {
            ElementFill.Fill(target[..start], element);
        }

        if (level == _axes.Length - 1)
        {
            source[..(axis.Size * axis.SourceBytes)].CopyTo(target[start..]);
        }
        else
        {
            for (int i = 0; i < axis.Size; i++)
            {
                Fill(
                    level + 1,
                    source.Slice(i * axis.SourceBytes, axis.SourceBytes),
                    target.Slice(start + (i * axis.TargetBytes), axis.TargetBytes),
                    element);
            }
        }

        if (axis.After > 0)
        {
            ElementFill.Fill(target.Slice(end, axis.After * axis.TargetBytes), element);
        }
    }

    private void Mirror(int level, ReadOnlySpan<byte> source, Span<byte> target, int skip)
    {
        Axis axis = _axes[level];
        int start = axis.Before * axis.TargetBytes;
        if (level == _axes.Length - 1)
        {
            source[..(axis.Size * axis.SourceBytes)].CopyTo(target[start..]);
        }
        else
        {
            for (int i = 0; i < axis.Size; i++)
            {
                Mirror(
                    level + 1,
                    source.Slice(i * axis.SourceBytes, axis.SourceBytes),
                    target.Slice(start + (i * axis.TargetBytes), axis.TargetBytes),
                    skip);
            }
        }

        // The middle is complete, borders of inner dimensions included: whole slices of it are the border of this one.
        for (int i = 0; i < axis.Before; i++)
        {
            Slice(target, axis, axis.Before + skip + i).CopyTo(Slice(target, axis, axis.Before - 1 - i));
        }

        int last = axis.Before + axis.Size - 1;
        for (int i = 0; i < axis.After; i++)
        {
            Slice(target, axis, last - skip - i).CopyTo(Slice(target, axis, last + 1 + i));
        }
    }

    private static Span<byte> Slice(Span<byte> target, Axis axis, int index) =>
        target.Slice(index * axis.TargetBytes, axis.TargetBytes);

    /// <param name="SourceBytes">Bytes of one slice of the source.</param>
    /// <param name="TargetBytes">Bytes of one slice of the target.</param>
    private readonly record struct Axis(int Size, int Before, int After, int SourceBytes, int TargetBytes);
}
