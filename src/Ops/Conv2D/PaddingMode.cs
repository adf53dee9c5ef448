namespace Optc.Ops;

/// <summary>How a window meets the border of an image.</summary>
public enum PaddingMode
{
    /// <summary>Output size is the input size over the stride, rounded up; of odd padding the larger half comes after.</summary>
    Same,

    /// <summary>Only windows inside the image.</summary>
    Valid,
}
