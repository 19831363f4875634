using System.Diagnostics;
using Broker.Gateway.Options;
using Broker.Grains.Tests.Storage;
using k8s;
using k8s.Models;

namespace Broker.Deploy.Tests.Support;

/// <summary>An overlay of deploy/kubernetes as <c>kubectl kustomize</c> renders it, parsed strictly: a field that does not exist is an error.</summary>
internal sealed class Overlay
{
    private Overlay(string name, string yaml)
    {
        Name = name;
        Objects = KubernetesYaml.LoadAllFromString(yaml, strict: true);
    }

    /// <summary>Folder of the manifests.</summary>
    public static string Folder { get; } = Path.Combine(RepositoryPaths.Root, "deploy", "kubernetes");

    /// <summary>Why overlays cannot be rendered on this machine; null when they can.</summary>
    public static string? Obstacle { get; } = FindObstacle();

    public string Name { get; }

    public IReadOnlyList<object> Objects { get; }

    /// <summary>The pod's template, of whichever kind of workload.</summary>
    public V1PodTemplateSpec Pod => Objects.Select(static o => o switch
    {
        V1Deployment deployment => deployment.Spec.Template,
        V1StatefulSet set => set.Spec.Template,
        _ => null,
    }).OfType<V1PodTemplateSpec>().Single();

    public V1Container Container => Pod.Spec.Containers.Single();

    /// <summary>Variables whose values are in the manifests.</summary>
    public IReadOnlyDictionary<string, string> Variables => Objects.OfType<V1ConfigMap>()
        .Single(map => map.Metadata.Name == Container.EnvFrom.Single().ConfigMapRef.Name).Data.AsReadOnly();

    /// <summary>Their values and, for those that come from elsewhere, one that such a place could have.</summary>
    public BrokerOptions Options => KnownSettings.Read(Variables.Concat(Container.Env.Select(static variable => KeyValuePair.Create(
        variable.Name,
        variable switch
        {
            { Value: { } value } => value,
            { ValueFrom.FieldRef.FieldPath: "status.podIP" } => "10.1.2.3",
            { ValueFrom.SecretKeyRef.Key: "connection-string" } => "Host=db;Database=broker;Username=broker;Password=secret",
            { ValueFrom.SecretKeyRef.Key: "token" } => new string('t', 32),
            _ => throw new FormatException($"{variable.Name} comes from nowhere"),
        }))).ToDictionary());

    public T Only<T>() => Objects.OfType<T>().Single();

    public static Overlay Render(string name) => new(name, Run("kustomize", Path.Combine(Folder, "overlays", name)).Output);

    private static (int ExitCode, string Output) Run(params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo("kubectl") { RedirectStandardOutput = true, RedirectStandardError = true }.With(arguments))!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? (0, output)
            : throw new InvalidOperationException($"kubectl {string.Join(' ', arguments)}: {error.GetAwaiter().GetResult()}");
    }

    private static string? FindObstacle()
    {
        try
        {
            Run("kustomize", "--help");
            return null;
        }
        catch (Exception failure) when (failure is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            return $"kubectl with kustomize is not installed: {failure.Message}";
        }
    }
}
