using System.Xml.Linq;
using Broker.Gateway.Admin;
using Broker.Gateway.Options;
using Broker.Gateway.Telemetry;
using Broker.Grains.Options;
using k8s.Models;

namespace Broker.Deploy.Tests;

/// <summary>What must fit together in a rendered overlay: with itself, and with the program.</summary>
public sealed class OverlayTests
{
    [OverlayTheory, EveryOverlay]
    public void Each_variable_is_a_key_that_the_program_knows_with_a_value_in_its_range(string name)
    {
        var overlay = Overlay.Render(name);

        Assert.Equal(name == "single" ? StoreKind.Sqlite : StoreKind.Postgres, overlay.Options.Store.Kind);
        Assert.NotEqual(true, overlay.Options.Auth.AllowAnonymous);
        Assert.DoesNotContain("Broker__Store__ConnectionString", overlay.Variables.Keys);
    }

    [OverlayTheory, EveryOverlay]
    public void Ports_are_those_that_the_program_listens_on(string name)
    {
        var overlay = Overlay.Render(name);
        var options = overlay.Options;

        Assert.Equal(options.Listeners.Mqtt.Single().Port, Port(overlay, "mqtt"));
        Assert.Equal(options.Http.Port, Port(overlay, "http"));
        Assert.Equal("*", options.Http.Address);
        if (options.Store.Kind == StoreKind.Postgres)
        {
            Assert.Equal(options.Cluster.Port, Port(overlay, "silo"));
            Assert.Equal("10.1.2.3", options.Cluster.Address);
        }
    }

    [OverlayTheory, EveryOverlay]
    public void Probes_ask_for_paths_that_the_program_has(string name)
    {
        var container = Overlay.Render(name).Container;

        AssertProbe(container.StartupProbe, HealthEndpoints.Live);
        AssertProbe(container.LivenessProbe, HealthEndpoints.Live);
        AssertProbe(container.ReadinessProbe, HealthEndpoints.Ready);

        // Readiness is lost before anybody would be restarted.
        Assert.True(Time(container.ReadinessProbe) < Time(container.LivenessProbe));

        static int Time(V1Probe probe) => probe.PeriodSeconds!.Value * probe.FailureThreshold!.Value;
    }

    [OverlayTheory, EveryOverlay]
    public void The_grace_period_is_longer_than_the_stop_and_the_stop_longer_than_the_drain(string name)
    {
        var overlay = Overlay.Render(name);
        var shutdown = overlay.Options.Shutdown;
        var preStop = TimeSpan.FromSeconds(overlay.Container.Lifecycle.PreStop.Sleep.Seconds);
        var grace = TimeSpan.FromSeconds(overlay.Pod.Spec.TerminationGracePeriodSeconds!.Value);

        // In that time the balancers have to learn that the pod goes: two looks of the readiness probe, as a measure of it.
        var probe = overlay.Container.ReadinessProbe;
        Assert.True(preStop >= 2 * TimeSpan.FromSeconds(probe.PeriodSeconds!.Value * probe.FailureThreshold!.Value));
        var stop = shutdown.NoticeTime + shutdown.DrainTimeout + shutdown.StopTimeout;
        Assert.True(stop >= shutdown.DrainTimeout + TimeSpan.FromSeconds(10));
        Assert.True(grace >= preStop + stop + TimeSpan.FromSeconds(10));

        // 10,000 clients are sent away at the rate, not faster because time is short.
        Assert.True((shutdown.DrainTimeout - shutdown.HandOverTime).TotalSeconds * shutdown.DrainRate >= 10_000);
    }

    [OverlayTheory, EveryOverlay]
    public void Whoever_selects_selects_the_pods(string name)
    {
        var overlay = Overlay.Render(name);
        var labels = overlay.Pod.Metadata.Labels;
        List<IDictionary<string, string>> selectors =
        [
            .. overlay.Objects.OfType<V1Service>().Select(static s => s.Spec.Selector),
            .. overlay.Objects.OfType<V1Deployment>().Select(static d => d.Spec.Selector.MatchLabels),
            .. overlay.Objects.OfType<V1StatefulSet>().Select(static s => s.Spec.Selector.MatchLabels),
            overlay.Only<V1PodDisruptionBudget>().Spec.Selector.MatchLabels,
            overlay.Only<V1NetworkPolicy>().Spec.PodSelector.MatchLabels,
            .. overlay.Pod.Spec.TopologySpreadConstraints.Select(static c => c.LabelSelector.MatchLabels),
        ];

        Assert.Equal(2 + 1 + 1 + 1 + 2, selectors.Count);
        Assert.All(selectors, selector =>
        {
            Assert.NotEmpty(selector);
            Assert.All(selector, pair => Assert.Equal(pair.Value, labels[pair.Key]));
        });
    }

    [OverlayTheory, EveryOverlay]
    public void Services_lead_to_ports_of_the_container_and_keep_the_addresses_of_clients(string name)
    {
        var overlay = Overlay.Render(name);
        var services = overlay.Objects.OfType<V1Service>().ToList();

        Assert.All(services.SelectMany(static s => s.Spec.Ports), port => Assert.Equal(port.Port, Port(overlay, port.TargetPort.Value)));
        var mqtt = services.Single(static s => s.Spec.Type == "LoadBalancer").Spec;
        Assert.Equal("Local", mqtt.ExternalTrafficPolicy);
        Assert.Equal("mqtt", mqtt.Ports.Single().Name);
        Assert.Equal("None", services.Single(static s => s.Spec.Type != "LoadBalancer").Spec.ClusterIP);
    }

    [OverlayTheory, EveryOverlay]
    public void Silo_ports_are_open_to_silos_only_and_HTTP_to_those_who_are_let_in(string name)
    {
        var overlay = Overlay.Render(name);
        var policy = overlay.Only<V1NetworkPolicy>().Spec;
        var rules = policy.Ingress.ToDictionary(static rule => rule.Ports.Single().Port.Value);

        Assert.Equal(["Ingress"], policy.PolicyTypes);
        Assert.Equal(["http", "mqtt", "silo"], rules.Keys.Order(StringComparer.Ordinal));
        Assert.All(rules.Keys, port => Port(overlay, port));
        Assert.Null(rules["mqtt"].FromProperty);
        Assert.Equal(policy.PodSelector.MatchLabels, rules["silo"].FromProperty.Single().PodSelector.MatchLabels);
        Assert.NotEmpty(rules["http"].FromProperty.Single().NamespaceSelector.MatchLabels);
    }

    [OverlayTheory, EveryOverlay]
    public void The_container_is_confined(string name)
    {
        var overlay = Overlay.Render(name);
        var pod = overlay.Pod.Spec;
        var security = overlay.Container.SecurityContext;

        Assert.True(pod.SecurityContext.RunAsNonRoot);
        Assert.Equal(Dockerfile.Read().Only("USER"), $"{pod.SecurityContext.RunAsUser}:{pod.SecurityContext.RunAsGroup}");
        Assert.Equal("RuntimeDefault", pod.SecurityContext.SeccompProfile.Type);
        Assert.True(security.ReadOnlyRootFilesystem);
        Assert.False(security.AllowPrivilegeEscalation);
        Assert.Equal(["ALL"], security.Capabilities.Drop);
        Assert.False(pod.AutomountServiceAccountToken);
        Assert.False(overlay.Only<V1ServiceAccount>().AutomountServiceAccountToken);
        Assert.Equal(overlay.Only<V1ServiceAccount>().Metadata.Name, pod.ServiceAccountName);
        Assert.False(pod.EnableServiceLinks);
    }

    [OverlayTheory, EveryOverlay]
    public void Resources_are_asked_for_and_processor_time_is_not_limited(string name)
    {
        var resources = Overlay.Render(name).Container.Resources;

        Assert.Equal(["cpu", "memory"], resources.Requests.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["memory"], resources.Limits.Keys);
        Assert.True(resources.Limits["memory"].ToDecimal() >= resources.Requests["memory"].ToDecimal());
    }

    [OverlayTheory, EveryOverlay]
    public void Prometheus_is_told_a_path_and_a_port_that_answer_it(string name)
    {
        var overlay = Overlay.Render(name);
        var annotations = overlay.Pod.Metadata.Annotations;

        Assert.Equal("true", annotations["prometheus.io/scrape"]);
        Assert.Equal(MetricsEndpoint.Path, annotations["prometheus.io/path"]);
        Assert.Equal($"{overlay.Options.Http.Port}", annotations["prometheus.io/port"]);
        Assert.Equal(MetricsAccess.Anyone, overlay.Options.Metrics.Access);
    }

    [OverlayTheory, EveryOverlay]
    public void The_image_has_the_version_of_the_program(string name)
    {
        var props = XDocument.Load(Path.Combine(RepositoryPaths.Root, "Directory.Build.props"));

        Assert.Equal($"broker:{props.Descendants("VersionPrefix").Single().Value}", Overlay.Render(name).Container.Image);
    }

    [OverlayTheory, EveryOverlay]
    public void Volumes_that_are_mounted_exist_and_the_files_that_are_named_are_in_them(string name)
    {
        var overlay = Overlay.Render(name);
        var volumes = overlay.Pod.Spec.Volumes.Select(static v => v.Name)
            .Concat(overlay.Objects.OfType<V1StatefulSet>().SelectMany(static s => s.Spec.VolumeClaimTemplates).Select(static c => c.Metadata.Name));
        var mounts = overlay.Container.VolumeMounts.ToDictionary(static m => m.MountPath);

        Assert.Equal(volumes.Order(StringComparer.Ordinal), mounts.Values.Select(static m => m.Name).Order(StringComparer.Ordinal));
        Assert.True(mounts[Path.GetDirectoryName(overlay.Options.Auth.UsersFile)!].ReadOnlyProperty);
        Assert.Equal(overlay.Options.Store.Kind == StoreKind.Sqlite, mounts.ContainsKey(Dockerfile.Read().Only("VOLUME")));
        if (overlay.Options.Store.Kind == StoreKind.Sqlite)
        {
            Assert.Equal("/data", overlay.Options.Data.Directory);
        }
    }

    [OverlayTheory]
    [InlineData("cluster")]
    public void A_cluster_has_three_silos_and_more_by_load_and_loses_one_at_a_time(string name)
    {
        var overlay = Overlay.Render(name);
        var deployment = overlay.Only<V1Deployment>();
        var scaler = overlay.Only<V2HorizontalPodAutoscaler>().Spec;

        Assert.Equal(("apps/v1", "Deployment", deployment.Metadata.Name), (scaler.ScaleTargetRef.ApiVersion, scaler.ScaleTargetRef.Kind, scaler.ScaleTargetRef.Name));
        Assert.Equal(3, scaler.MinReplicas);
        Assert.True(scaler.MaxReplicas > scaler.MinReplicas);
        Assert.Null(deployment.Spec.Replicas);
        Assert.Equal(1, scaler.Behavior.ScaleDown.Policies.Single().Value);
        Assert.Equal("1", overlay.Only<V1PodDisruptionBudget>().Spec.MaxUnavailable.Value);
        Assert.Equal("0", deployment.Spec.Strategy.RollingUpdate.MaxUnavailable.Value);
        Assert.Equal("1", deployment.Spec.Strategy.RollingUpdate.MaxSurge.Value);

        // A silo that drains is to be gone before the autoscaler takes the next.
        Assert.True(scaler.Behavior.ScaleDown.Policies.Single().PeriodSeconds > overlay.Pod.Spec.TerminationGracePeriodSeconds);
        Assert.True(deployment.Spec.ProgressDeadlineSeconds > overlay.Pod.Spec.TerminationGracePeriodSeconds);
    }

    [OverlayTheory]
    [InlineData("single")]
    public void A_single_silo_is_one_with_a_volume_of_its_own(string name)
    {
        var set = Overlay.Render(name).Only<V1StatefulSet>();

        Assert.Equal(1, set.Spec.Replicas);
        Assert.Equal(["ReadWriteOnce"], set.Spec.VolumeClaimTemplates.Single().Spec.AccessModes);
        Assert.Contains(Overlay.Render(name).Objects.OfType<V1Service>(), service => service.Metadata.Name == set.Spec.ServiceName && service.Spec.ClusterIP == "None");
    }

    private static int Port(Overlay overlay, string port) => overlay.Container.Ports.Single(p => p.Name == port).ContainerPort;

    private static void AssertProbe(V1Probe probe, string path)
    {
        Assert.Equal((path, "http"), (probe.HttpGet.Path, probe.HttpGet.Port.Value));
        Assert.True(probe.TimeoutSeconds > 0 && probe.TimeoutSeconds <= probe.PeriodSeconds);
    }
}
