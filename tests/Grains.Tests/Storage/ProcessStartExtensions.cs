using System.Diagnostics;

namespace Broker.Grains.Tests.Storage;

/// <summary>Short form for arguments.</summary>
internal static class ProcessStartExtensions
{
    public static ProcessStartInfo With(this ProcessStartInfo start, params string[] arguments)
    {
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return start;
    }
}
