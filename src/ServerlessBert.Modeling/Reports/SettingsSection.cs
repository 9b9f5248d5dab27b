using System.Xml.Linq;

namespace ServerlessBert.Modeling;

/// <summary>Every setting.</summary>
internal static class SettingsSection
{
    public static XElement? Of(IReadOnlyList<SettingsGroup> groups) => groups.Count == 0 ? null : TrainingReport.Section("Settings",
        Markup.Of("div", ("class", "settings"), groups.Select(group => Markup.Of("div",
            Markup.Of("h3", group.Name),
            Markup.Of("dl", group.Values.Select(setting => Markup.Of("div", Markup.Of("dt", setting.Name), Markup.Of("dd", setting.Value))))))));
}
