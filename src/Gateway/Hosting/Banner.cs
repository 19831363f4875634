using System.Globalization;
using System.Reflection;
using Broker.Gateway.Listeners;
using Broker.Grains.Storage;

namespace Broker.Gateway.Hosting;

/// <summary>What the operator reads after the start. The last line begins with <c>ready</c>; scripts wait for it.</summary>
internal static class Banner
{
    /// <summary>Version of the program without the commit that a build may append.</summary>
    public static string Version { get; } =
        typeof(Banner).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion
            .Split('+')[0];

    public static void Write(TextWriter output, IServiceProvider services, string dataFolder)
    {
        var listeners = services.GetRequiredService<OpenListeners>();
        var store = services.GetService<IMessageStore>();
        var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        text.WriteLine($"broker {Version}, node {Environment.MachineName}, process {Environment.ProcessId}");
        text.WriteLine($"store  {store?.Description ?? "none"}");
        text.WriteLine($"data   {dataFolder}");
        foreach (var listener in listeners.Mqtt)
        {
            text.WriteLine($"mqtt   {listener}");
        }

        text.WriteLine($"http   {listeners.Http}");
        text.WriteLine($"ready in {ProgramStart.Elapsed.TotalMilliseconds:F0} ms");
        output.Write(text.ToString());
        output.Flush();
    }

    /// <summary>The last line: how long the stop took, from the signal to the end of everything.</summary>
    public static void WriteStopped(TextWriter output, TimeSpan time)
    {
        output.Write(string.Create(CultureInfo.InvariantCulture, $"stopped in {time.TotalMilliseconds:F0} ms\n"));
        output.Flush();
    }
}
