namespace Optc.Tests.Fuzzing;

/// <summary>How far a damaged file came.</summary>
public enum FuzzEnd
{
    /// <summary>Read, written, read again and executed: exit code 0.</summary>
    Ran,

    /// <summary>Read, but refused with a diagnostic when it was to be written or executed: exit code 3 of that verb.</summary>
    RefusedToRun,

    /// <summary>Refused with a diagnostic when it was read: exit code 3.</summary>
    RefusedToRead,

    /// <summary>Read, and stopped between two operators because the caller's time was up.</summary>
    Cancelled,

    /// <summary>Neither; a defect.</summary>
    Failed,
}

/// <summary>What happened to one file.</summary>
/// <param name="Time">From the bytes to the end.</param>
/// <param name="Bytes">Managed memory allocated in all, plus the arena; an upper bound of what was held at once.</param>
/// <param name="Problem">The exception of a <see cref="FuzzEnd.Failed"/> one.</param>
public sealed record FuzzOutcome(FuzzEnd End, TimeSpan Time, long Bytes, Exception? Problem);
