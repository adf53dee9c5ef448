using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Optc.Data;
using Optc.Ir;

namespace Optc.Optimize;

/// <summary>Hashes of what determines a result, in lower-case hexadecimal.</summary>
internal static class Fingerprint
{
    public static string Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>Of texts; where one ends and the next begins counts.</summary>
    public static string Of(params ReadOnlySpan<string> texts)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string text in texts)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            hash.AppendData(BitConverter.GetBytes(bytes.Length));
            hash.AppendData(bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Of every number of some data.</summary>
    /// <exception cref="DiagnosticException">A file is damaged or has gone.</exception>
    public static string Of(Dataset data)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (DataColumn column in data.Columns.Concat(new[] { data.Labels, data.Weights }.OfType<DataColumn>()))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{column.Name} {column.DType.Name} {column.Count}\n")));
            foreach (TensorData row in column.Rows())
            {
                hash.AppendData(Encoding.UTF8.GetBytes(row.Shape.ToString()));
                hash.AppendData(row.Bytes.Span);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
